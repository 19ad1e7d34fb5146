#include "broker/audit_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <climits>
#include <ctime>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace sockgate {
namespace {

using nlohmann::json;

class AuditLogTest : public ::testing::Test {
 protected:
  AuditLogTest() {
    role_.name = "fetch";
    worker_.id = 5;
    worker_.role = {std::shared_ptr<void>(), &role_};
    worker_.peer = {1234, 1000};
    attempt_.worker = &worker_;
    attempt_.channel = 7;
    attempt_.request_id = 9;
    attempt_.rule = 3;
    attempt_.request.endpoint = Endpoint::Ip(*IpAddress::Parse("2001:db8::1"), 443);
  }

  // All lines, written and read back.
  std::string Text() {
    log_.Flush();
    EXPECT_FALSE(log_.pending());
    std::string text(static_cast<size_t>(lseek(file_, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(file_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }
  // The only line, without its time.
  std::string Line() {
    const std::string text = Text();
    const size_t end_of_time = text.find(',');
    EXPECT_THAT(text.substr(0, end_of_time),
                ::testing::MatchesRegex(R"(\{"time":"[0-9-]+T[0-9:]+\.[0-9]{6}Z")"));
    return text.substr(end_of_time + 1);
  }

  const int file_ = memfd_create("audit", MFD_CLOEXEC);
  AuditLog log_{UniqueFd(file_)};
  Role role_;
  WorkerRecord worker_;
  Attempt attempt_;
};

TEST_F(AuditLogTest, ADecisionToAllow) {
  log_.Decision(attempt_, {Decision::kAllow, 3, 12, Reason::kNone});
  EXPECT_EQ(
      Line(),
      R"("event":"decision","worker":5,"channel":7,"pid":1234,"uid":1000,"role":"fetch","request":9,)"
      R"("target":"[2001:db8::1]:443","transport":"stream","mode":"connected",)"
      R"("purpose":"transfer","verdict":"allow","rule":3,"line":12,"reason":"none","policy":1})"
      "\n");
}

TEST_F(AuditLogTest, ADecisionToDeny) {
  attempt_.request.endpoint = Endpoint::Ip(*IpAddress::Parse("::ffff:10.0.0.1"), 22);
  attempt_.request.transport = Transport::kDatagram;
  attempt_.request.mode = ConnectMode::kInProgress;
  attempt_.request.purpose = Purpose::kDirect;
  log_.Decision(attempt_, {Decision::kDeny, 0, 0, Reason::kTransport});
  EXPECT_EQ(
      Line(),
      R"("event":"decision","worker":5,"channel":7,"pid":1234,"uid":1000,"role":"fetch","request":9,)"
      R"("target":"10.0.0.1:22","transport":"datagram","mode":"in-progress",)"
      R"("purpose":"direct","verdict":"deny","rule":0,"reason":"transport","policy":1})"
      "\n");
}

TEST_F(AuditLogTest, ADecisionThatOnlyReportModeLetsThrough) {
  log_.Decision(attempt_, {Decision::kWouldDeny, 0, 0, Reason::kNoRuleMatches});
  const json line = json::parse(Text());
  EXPECT_EQ(line.at("verdict"), "would-deny");
  EXPECT_EQ(line.at("reason"), "no-rule-matches");
}

TEST_F(AuditLogTest, TheEndOfAConnection) {
  ConnectionEnd end;
  end.by = ConnectionEnd::By::kWorkerGone;
  end.bytes_sent = 70;
  end.bytes_received = 5'000'000'000;
  end.duration = std::chrono::milliseconds(1500);
  log_.Connection(attempt_, end);
  EXPECT_EQ(
      Line(),
      R"("event":"connection","worker":5,"channel":7,"pid":1234,"uid":1000,"role":"fetch","request":9,)"
      R"("target":"[2001:db8::1]:443","bytes_sent":70,"bytes_received":5000000000,)"
      R"("duration_us":1500000,"closed_by":"worker-gone"})"
      "\n");
}

// Each belongs to a decision, of which there are none beyond the bound.
TEST_F(AuditLogTest, TheEndOfAConnectionIsNeverSkipped) {
  AuditLog log{UniqueFd(fcntl(file_, F_DUPFD_CLOEXEC, 0))};
  while (!log.full()) log.Decision(attempt_, Verdict());
  log.Channel(worker_, 1, "opened", {});
  log.Connection(attempt_, {});
  log.Flush();
  const std::string text = Text();
  EXPECT_NE(text.find(R"("event":"connection")"), std::string::npos);
  EXPECT_EQ(text.find(R"("event":"channel")"), std::string::npos);
}

TEST_F(AuditLogTest, ARevocation) {
  RevokeOrder order;
  log_.Revoked(order, 2, {});
  EXPECT_EQ(Line(), R"("event":"revoke","connections":2})"
                    "\n");
  ASSERT_EQ(ftruncate(file_, 0), 0);
  lseek(file_, 0, SEEK_SET);
  order.role = "fetch";
  order.worker = 5;
  order.to = Cidr::Parse("192.0.2.0/24");
  log_.Revoked(order, 1, {"control", OrderedBy::Process{1234, 1000}});
  EXPECT_EQ(Line(), R"("event":"revoke","by":"control","pid":1234,"uid":1000,"role":"fetch",)"
                    R"("worker":5,"to":"192.0.2.0/24","connections":1})"
                    "\n");
}

TEST_F(AuditLogTest, ChangesOfThePolicy) {
  log_.PolicyLoaded(2, "roles: 1", {});
  EXPECT_EQ(Line(), R"("event":"policy","change":"loaded","policy":2,"detail":"roles: 1"})"
                    "\n");
  ASSERT_EQ(ftruncate(file_, 0), 0);
  lseek(file_, 0, SEEK_SET);
  log_.PolicyRejected("p.toml:3:1: error: \"x\"\n", {});
  EXPECT_EQ(Line(), R"("event":"policy","change":"rejected","policy":2,)"
                    R"("detail":"p.toml:3:1: error: \"x\"\u000a"})"
                    "\n");
  ASSERT_EQ(ftruncate(file_, 0), 0);
  lseek(file_, 0, SEEK_SET);
  log_.Decision(attempt_, Verdict());
  EXPECT_EQ(json::parse(Text()).at("policy"), 2);
}

TEST_F(AuditLogTest, WhoOrderedAChangeOfThePolicy) {
  log_.PolicyLoaded(2, "roles: 1", {"control", OrderedBy::Process{1234, 1000}});
  EXPECT_EQ(Line(), R"("event":"policy","change":"loaded","policy":2,"by":"control","pid":1234,)"
                    R"("uid":1000,"detail":"roles: 1"})"
                    "\n");
  ASSERT_EQ(ftruncate(file_, 0), 0);
  lseek(file_, 0, SEEK_SET);
  log_.PolicyRejected("no", {"signal"});
  EXPECT_EQ(Line(), R"("event":"policy","change":"rejected","policy":2,"by":"signal",)"
                    R"("detail":"no"})"
                    "\n");
}

TEST_F(AuditLogTest, ACompletion) {
  Result result;
  result.outcome = Outcome::kConnected;
  log_.Completion(attempt_, result, attempt_.begun + std::chrono::microseconds(1500));
  EXPECT_EQ(
      Line(),
      R"("event":"completion","worker":5,"channel":7,"pid":1234,"uid":1000,"role":"fetch","request":9,)"
      R"("target":"[2001:db8::1]:443","outcome":"connected","connect_us":1500})"
      "\n");
}

TEST_F(AuditLogTest, ACompletionWithReasonAndErrno) {
  Result result;
  result.outcome = Outcome::kFailed;
  result.error = ECONNREFUSED;
  log_.Completion(attempt_, result, attempt_.begun);
  EXPECT_EQ(json::parse(Text()).at("errno"), ECONNREFUSED);
  result = Result();
  result.outcome = Outcome::kLimited;
  result.reason = Reason::kPending;
  log_.Completion(attempt_, result, attempt_.begun);
  const std::string text = Text();
  const json line = json::parse(text.substr(text.find('\n') + 1));
  EXPECT_EQ(line.at("reason"), "too-many-pending");
  EXPECT_FALSE(line.contains("errno"));
}

TEST_F(AuditLogTest, AChannel) {
  log_.Channel(worker_, 7, "violation", "deadline_ms");
  EXPECT_EQ(Line(),
            R"("event":"channel","worker":5,"channel":7,"pid":1234,"uid":1000,"role":"fetch",)"
            R"("change":"violation","detail":"deadline_ms"})"
            "\n");
}

TEST_F(AuditLogTest, ADetailThatIsEmptyIsLeftOut) {
  log_.Channel(worker_, 7, "opened", "");
  EXPECT_FALSE(json::parse(Text()).contains("detail"));
}

// A worker chooses the name; whatever it is, the line stays one line of valid ASCII JSON, and says
// what was asked for.
TEST_F(AuditLogTest, HostileUnixNames) {
  const struct {
    std::string name;
    std::string target;
  } cases[] = {
      {"/tmp/\"}\n{\"event\":\"forged", R"(unix:/tmp/\"}\n{\"event\":\"forged)"},
      {"/tmp/\x1b[2J\r\t\x7f", R"(unix:/tmp/\x1b[2J\r\t\x7f)"},
      {"/tmp/\xc3\xa9\xff", R"(unix:/tmp/\xc3\xa9\xff)"},
      {R"(/tmp/back\slash)", R"(unix:/tmp/back\\slash)"},
      {std::string("\0abstract\0\"", 11), R"(unix:@abstract\x00\")"},
      {"@path", R"(unix:\x40path)"},
      {std::string(107, '"'), "unix:" +
                                  [] {
                                    std::string text;
                                    for (int i = 0; i < 107; ++i) text += "\\\"";
                                    return text;
                                  }()},
  };
  for (const auto& one : cases) {
    ASSERT_EQ(ftruncate(file_, 0), 0);
    lseek(file_, 0, SEEK_SET);
    attempt_.request.endpoint = *Endpoint::Unix(one.name);
    log_.Decision(attempt_, Verdict());
    const std::string text = Text();
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f));
    const json line = json::parse(text);
    EXPECT_EQ(line.at("event"), "decision");
    EXPECT_EQ(line.at("target"), one.target);
  }
}

TEST_F(AuditLogTest, HostileDetails) {
  role_.name = "a\"b\\c\x01";
  log_.Channel(worker_, 7, "broken", "x\xff\"\n");
  const json line = json::parse(Text());
  EXPECT_EQ(line.at("role"), "a\"b\\c\x01");
  EXPECT_EQ(line.at("detail"), "x\xc3\xbf\"\n");
}

// A longer line could not be written to a pipe in one piece.
TEST_F(AuditLogTest, EveryLineFitsIntoAPipeInOnePiece) {
  role_.name.assign(5000, '\x01');
  worker_.id = attempt_.channel = UINT64_MAX;
  attempt_.request.endpoint = *Endpoint::Unix(std::string(107, '\xff'));
  const std::string name = std::string(5000, '/') + std::string(5000, '"');
  log_.Decision(attempt_, {Decision::kDeny, UINT32_MAX, UINT32_MAX, Reason::kSpecialPurpose});
  log_.Completion(attempt_, Result(), attempt_.begun);
  log_.Channel(worker_, UINT64_MAX, "violation", std::string(5000, '\xff'));
  log_.PolicyRejected(name, {"control", OrderedBy::Process{INT_MAX, UINT_MAX}});
  std::istringstream stream(Text());
  int lines = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    EXPECT_LT(line.size() + 1, size_t{PIPE_BUF});
    EXPECT_TRUE(json::accept(line)) << line;
    if (lines == 3) {
      EXPECT_EQ(json::parse(line).at("detail"), name.substr(0, 1024) + "...");
    }
  }
  EXPECT_EQ(lines, 4);
}

TEST_F(AuditLogTest, TheTimeIsNow) {
  const time_t before = time(nullptr);
  log_.Channel(worker_, 1, "opened", "");
  tm utc = {};
  const std::string text = json::parse(Text()).at("time");
  ASSERT_NE(strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &utc), nullptr);
  EXPECT_GE(timegm(&utc), before);
  // time(2) lags behind the clock by up to a tick.
  EXPECT_LE(timegm(&utc), time(nullptr) + 1);
}

TEST_F(AuditLogTest, ManyLinesStayInOrder) {
  for (uint32_t i = 0; i < 1000; ++i) {
    attempt_.request_id = i;
    log_.Decision(attempt_, Verdict());
    if (log_.batch_full()) log_.Flush();
  }
  const std::string text = Text();
  size_t begin = 0;
  for (uint32_t i = 0; i < 1000; ++i) {
    const size_t end = text.find('\n', begin);
    ASSERT_EQ(json::parse(text.substr(begin, end - begin)).at("request"), i);
    begin = end + 1;
  }
  EXPECT_EQ(begin, text.size());
}

TEST(AuditLogNowhereTest, NobodyWantsTheLog) {
  AuditLog log{UniqueFd()};
  Role role;
  WorkerRecord worker;
  worker.role = {std::shared_ptr<void>(), &role};
  for (int i = 0; i < 20'000; ++i) log.Channel(worker, 1, "opened", "");
  log.Flush();
  EXPECT_FALSE(log.pending());
  EXPECT_FALSE(log.full());
}

}  // namespace
}  // namespace sockgate
