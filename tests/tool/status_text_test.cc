#include "tool/status_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "tests/tool/status_reply.h"
#include "tool/status_reader.h"

namespace sockgate {
namespace {

using nlohmann::json;
using ::testing::Contains;
using testing::FullStatusReply;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::OldStatusReply;

std::string Text(const json& reply) { return absl::StrJoin(StatusLines(*ReadStatus(reply)), "\n"); }

std::string Live(const json& before, const json& after) {
  const BrokerReading reading = *ReadStatus(after);
  return absl::StrJoin(LiveLines(reading, RatesBetween(*ReadStatus(before), reading, 1)), "\n");
}

TEST(StatusText, AllOfIt) {
  EXPECT_EQ(Text(FullStatusReply()),
            R"(policy 3 of /etc/sockgate/policy.toml, loaded at 2026-01-02T03:04:06Z
broker: up 12s, since 2026-01-02T03:04:05Z, 2 threads
cage full: uid 0, seccomp
process: 40 of 524288 descriptors, 5.0 MiB, 123ms of CPU, 1.2k wakeups
audit log: 10 lines, 1 lost, 2.0 KiB waiting
resolver: ready, 5 questions under way
name cache: 3 entries, 12 hits, 4 misses, 75% of lookups

ROLE   MODE     WORKERS  CHANNELS  PENDING  ASKED  DENIED  LIMITED  FAILED    P50    P99
fetch  enforce       12        24        1    12k       5        3       2  100us  900ms

ROLE   RULES  LOOKUPS  DENIED  LIMITED  FAILED  UNREAD  TRACKED     SENT  RECEIVED  VIOLATIONS
fetch      7       50       1        6       4       2        3  1.5 KiB   3.0 MiB           8

DENIED  ROLE   RULE  LINE  REASON
     4  fetch  3     12    deny-rule
     2  fetch  -     -     no-rule-matches

LIMITED  ROLE   LIMIT
      6  fetch  too-many-per-second
      3  fetch  too-many-pending

ROLE   MODE  LISTENING ON
fetch  0660  /run/sockgate/fetch)");
}

TEST(StatusText, OfAnOlderBrokerWhatItSays) {
  EXPECT_EQ(Text(OldStatusReply()), R"(policy 1 of p.toml, loaded at 2026-01-02T03:04:05Z

ROLE   MODE     WORKERS  CHANNELS  PENDING  ASKED  DENIED  LIMITED  FAILED  P50  P99
fetch  enforce        2         3        -      -       -        -       -    -    -

ROLE   RULES  LOOKUPS  DENIED  LIMITED  FAILED  UNREAD  TRACKED  SENT  RECEIVED  VIOLATIONS
fetch      1        -       -        -       -       -        -     -         -           -

ROLE   MODE  LISTENING ON
fetch  0600  /run/f)");
}

TEST(StatusText, TheTablesFitAHundredColumns) {
  json reply = FullStatusReply();
  reply["roles"][0]["mode"] = "report";
  for (const char* key : {"workers", "channels", "pending", "unread", "tracked", "bytes_sent"}) {
    reply["roles"][0][key] = 999'499'999'999;
  }
  const BrokerReading reading = *ReadStatus(reply);
  for (const std::string& line : LiveLines(reading, {})) EXPECT_LE(line.size(), 100U) << line;
  for (const std::string& line : StatusLines(reading)) EXPECT_LE(line.size(), 100U) << line;
}

TEST(StatusText, NothingThatTheBrokerSaysReachesATerminal) {
  json reply = FullStatusReply();
  const std::string evil =
      "\033[2J\n\xc2\x9b"
      "1m\u202e\u202c\x7f";
  json& role = reply["roles"][0];
  role["name"] = evil;
  role["mode"] = evil;
  role["limits"] = {{evil, 1}};
  role["denials"][0]["reason"] = evil;
  reply["policy"]["file"] = evil;
  reply["policy"]["loaded_at"] = evil;
  reply["policy"]["last_error"] = {
      {"at", evil},
      {"findings",
       {{{"severity", "error"}, {"line", 1}, {"column", 1}, {"message", evil}, {"advice", evil}}}}};
  reply["started_at"] = evil;
  reply["resolver"]["state"] = evil;
  reply["cage"] = {{"level", evil}, {"in_force", evil}};
  reply["listen"][0] = {{"path", evil}, {"role", evil}, {"mode", evil}};
  const BrokerReading reading = *ReadStatus(reply);
  for (const auto& lines : {StatusLines(reading), LiveLines(reading, {})}) {
    EXPECT_THAT(lines, Contains(HasSubstr("\\x1b[2J\\x0a")));
    for (const std::string& line : lines) {
      for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << line;
    }
  }
}

TEST(StatusText, ReportModeHasAColumnOfItsOwn) {
  EXPECT_THAT(Text(FullStatusReply()), Not(HasSubstr("WOULD")));
  json reply = FullStatusReply();
  reply["roles"][0]["mode"] = "report";
  reply["roles"][0]["connects"]["would_deny"] = 77;
  EXPECT_THAT(Text(reply), HasSubstr("ASKED  DENIED  WOULD  LIMITED"));
  EXPECT_THAT(Text(reply), HasSubstr("  12k       5     77        3"));
}

TEST(StatusText, ARoleThatIsRemovedSaysSo) {
  json reply = FullStatusReply();
  reply["roles"][0]["removed"] = true;
  EXPECT_THAT(Text(reply), HasSubstr("fetch  removed "));
}

TEST(StatusText, OfManyDenialsTheMostFrequentTen) {
  json reply = FullStatusReply();
  json denials = json::array();
  for (int i = 1; i <= 12; ++i) {
    denials.push_back({{"reason", "deny-rule"}, {"rule", i}, {"line", 100 + i}, {"count", i * 10}});
  }
  reply["roles"][0]["denials"] = denials;
  EXPECT_THAT(Text(reply), HasSubstr("   120  fetch  12    112   deny-rule\n"
                                     "   110  fetch  11    111   deny-rule\n"));
  EXPECT_THAT(Text(reply), HasSubstr("    30  fetch  3     103   deny-rule\n(and 2 more)\n"));
}

TEST(StatusText, AFailedReloadIsShownWithAllItsFindings) {
  json reply = FullStatusReply();
  json findings = json::array();
  for (int i = 1; i <= 3; ++i) {
    findings.push_back(
        {{"severity", "error"}, {"line", i}, {"column", 1}, {"message", "bad"}, {"advice", ""}});
  }
  reply["policy"]["last_error"] = {{"at", "noon"}, {"findings", findings}};
  EXPECT_THAT(Text(reply), HasSubstr("\nthe last reload, at noon, failed:\n"
                                     "  /etc/sockgate/policy.toml:1:1: error: bad\n"
                                     "  /etc/sockgate/policy.toml:2:1: error: bad\n"
                                     "  /etc/sockgate/policy.toml:3:1: error: bad\n"));
  // On a screen they would push the table away.
  EXPECT_THAT(Live(reply, reply), HasSubstr(":1:1: error: bad\n  (and 2 more)\n"));
}

TEST(StatusText, WhatIsWrongIsSaid) {
  json reply = FullStatusReply();
  reply["audit"]["full"] = true;
  reply["stopping"] = true;
  reply["resolver"]["state"] = "gone";
  reply["cut"] = true;
  const std::string text = Text(reply);
  EXPECT_THAT(text, HasSubstr("FULL: requests are refused until it can be written\n"));
  EXPECT_THAT(text, HasSubstr("2 threads, STOPPING: nothing new is begun\n"));
  EXPECT_THAT(text,
              HasSubstr("resolver: gone; no name is resolved until the broker starts anew\n"));
  EXPECT_THAT(text, ::testing::EndsWith("\n\n(there is more than fits)"));
}

TEST(StatusText, LiveWithRates) {
  json after = FullStatusReply();
  after["uptime_s"] = 13;
  after["process"]["wakeups"] = 1334;
  after["process"]["cpu_us"] = 623456;
  after["resolver"]["cache"]["hits"] = 13;
  json& role = after["roles"][0];
  role["connects"]["asked"] = 14345;
  role["connects"]["failed"] = 5;
  role["denials"][0]["count"] = 5;
  role["connect_us"] = json::parse(
      R"({"count": 110, "sum": 125456, "le": [[50, 0], [100, 60], [1000, 100], [1000000, 110]]})");
  EXPECT_EQ(Live(FullStatusReply(), after), R"(broker: up 13s, since 2026-01-02T03:04:05Z, 2 threads
policy 3 of /etc/sockgate/policy.toml, loaded at 2026-01-02T03:04:06Z

ROLE   MODE     WORKERS  PENDING  ASKED/S  DENY/S  LIMIT/S  FAIL/S   P50   P99  NAMES/S
fetch  enforce       12        1     2.0k       0        0     3.0  75us  99us        0

DENIED  DENIED/S  ROLE   RULE  LINE  REASON
     5       1.0  fetch  3     12    deny-rule
     2         0  fetch  -     -     no-rule-matches

LIMITED  ROLE   LIMIT
      6  fetch  too-many-per-second
      3  fetch  too-many-pending

resolver: ready, 5 questions under way
name cache: 3 entries, 13 hits (1.0/s), 4 misses (0/s), 76% of lookups
audit log: 10 lines (0/s), 1 lost, 2.0 KiB waiting
process: 40 of 524288 descriptors, 5.0 MiB, 623ms of CPU (50%), 1.3k wakeups (100/s))");
}

TEST(StatusText, LiveAfterARestart) {
  json after = FullStatusReply();
  after["uptime_s"] = 0;
  EXPECT_THAT(Live(FullStatusReply(), after),
              HasSubstr("\nthe broker has started anew; rates from the next time on\n"));
  EXPECT_THAT(Live(FullStatusReply(), after),
              HasSubstr("fetch  enforce       12        1        -       -        -       -"));
}

}  // namespace
}  // namespace sockgate
