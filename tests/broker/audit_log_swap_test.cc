// An audit log that goes on in another file: no line is lost, none doubled, none torn but the one that
// a full disk has cut, which the next file has whole.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "broker/audit_log.h"
#include "proto/check.h"

namespace sockgate {
namespace {

// As Broker::SwapAudit() does for all loops.
UniqueFd Swap(AuditLog& log, UniqueFd fd) {
  log.Flush();
  return log.sink()->Swap(std::move(fd));
}

using nlohmann::json;

int NewFile() { return memfd_create("audit", MFD_CLOEXEC); }

std::string Text(int file) {
  std::string text(static_cast<size_t>(lseek(file, 0, SEEK_END)), '\0');
  EXPECT_EQ(pread(file, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  return text;
}

// Of all whole lines. `rest` is what stands after the last of them.
std::vector<uint32_t> Requests(const std::string& text, std::string* rest) {
  std::vector<uint32_t> requests;
  const size_t end = text.rfind('\n') + 1;
  std::istringstream stream(text.substr(0, end));
  for (std::string line; std::getline(stream, line);) {
    const json parsed = json::parse(line);
    if (parsed.at("event") == "decision") requests.push_back(parsed.at("request"));
  }
  *rest = text.substr(end);
  return requests;
}

std::vector<uint32_t> UpTo(uint32_t last) {
  std::vector<uint32_t> all;
  for (uint32_t i = 1; i <= last; ++i) all.push_back(i);
  return all;
}

// No file of this process grows beyond so many bytes, until the end of the object.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    sigset_t too_large;
    sigemptyset(&too_large);
    sigaddset(&too_large, SIGXFSZ);
    SOCKGATE_CHECK(pthread_sigmask(SIG_BLOCK, &too_large, nullptr) == 0);
    SOCKGATE_CHECK(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit = {bytes, before_.rlim_max};
    SOCKGATE_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() { SOCKGATE_CHECK(setrlimit(RLIMIT_FSIZE, &before_) == 0); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_;
};

class AuditLogSwapTest : public ::testing::Test {
 protected:
  AuditLogSwapTest() {
    worker_.role = {std::shared_ptr<void>(), &role_};
    attempt_.worker = &worker_;
  }

  void Decide(int times) {
    for (int i = 0; i < times; ++i) {
      ++attempt_.request_id;
      log_.Decision(attempt_, Verdict());
    }
  }
  void FillUp() {
    while (!log_.full()) Decide(1);
  }

  Role role_;
  WorkerRecord worker_;
  Attempt attempt_;
  const int first_ = NewFile();
  AuditLog log_{UniqueFd(first_)};
};

TEST_F(AuditLogSwapTest, WhatWaitsIsInTheOldFile) {
  Decide(3);
  const int second = NewFile();
  const UniqueFd before = Swap(log_, UniqueFd(second));
  EXPECT_EQ(before.get(), first_);
  EXPECT_FALSE(log_.pending());
  Decide(2);
  log_.Flush();
  std::string rest;
  EXPECT_EQ(Requests(Text(first_), &rest), UpTo(3));
  EXPECT_EQ(Requests(Text(second), &rest), (std::vector<uint32_t>{4, 5}));
}

TEST_F(AuditLogSwapTest, WhatTheOldFileCannotTakeIsInTheNewOneWhole) {
  const int second = NewFile();
  UniqueFd before;
  {
    const FileSizeLimit limit(1000);
    Decide(10);
    log_.Flush();
    EXPECT_TRUE(log_.pending());
    before = Swap(log_, UniqueFd(second));
  }
  log_.Flush();
  EXPECT_FALSE(log_.pending());
  std::string cut;
  std::vector<uint32_t> requests = Requests(Text(before.get()), &cut);
  EXPECT_EQ(Text(before.get()).size(), 1000U);
  EXPECT_FALSE(cut.empty());
  std::string rest;
  const std::string next = Text(second);
  EXPECT_EQ(next.substr(0, cut.size()), cut) << "the line that was cut";
  for (const uint32_t request : Requests(next, &rest)) requests.push_back(request);
  EXPECT_EQ(requests, UpTo(10));
  EXPECT_EQ(rest, "");
}

// The line that was cut goes on where it was cut.
TEST_F(AuditLogSwapTest, WhenRoomReturnsNothingIsDoubled) {
  {
    const FileSizeLimit limit(1000);
    Decide(10);
    log_.Flush();
    log_.Flush();
    Decide(1);
    log_.Flush();
  }
  log_.Flush();
  std::string rest;
  EXPECT_EQ(Requests(Text(first_), &rest), UpTo(11));
  EXPECT_EQ(rest, "");
}

TEST_F(AuditLogSwapTest, AFileThatIsFullDeniesUntilTheNext) {
  Swap(log_, UniqueFd(open("/dev/full", O_WRONLY | O_CLOEXEC)));
  FillUp();
  log_.Flush();
  EXPECT_TRUE(log_.denies());
  const int second = NewFile();
  Swap(log_, UniqueFd(second));
  log_.Flush();
  EXPECT_FALSE(log_.denies());
  std::string rest;
  EXPECT_EQ(Requests(Text(second), &rest), UpTo(attempt_.request_id));
}

TEST_F(AuditLogSwapTest, DroppedLinesOfAllKindsAreCounted) {
  log_.sink()->set_overflow(AuditOverflow::kDrop);
  Swap(log_, UniqueFd(open("/dev/full", O_WRONLY | O_CLOEXEC)));
  FillUp();
  const uint32_t written = attempt_.request_id;
  EXPECT_TRUE(log_.full());
  EXPECT_FALSE(log_.denies());
  Decide(100);
  Result failed;
  failed.outcome = Outcome::kFailed;
  log_.Completion(attempt_, failed, attempt_.begun);
  log_.Channel(worker_, 1, "opened", "");
  Lookup lookup;
  lookup.worker = &worker_;
  lookup.verdict = Verdict{Decision::kAllow, 1, 0, Reason::kNone};
  LookupEnd end;
  log_.LookupCompletion(lookup, end, attempt_.begun);  // with its decision
  log_.PolicyLoaded(2, "", {});                        // no worker's, so it is written

  const int second = NewFile();
  Swap(log_, UniqueFd(second));
  while (log_.pending()) log_.Flush();
  const std::string text = Text(second);
  std::string rest;
  EXPECT_EQ(Requests(text, &rest), UpTo(written));
  EXPECT_NE(text.find(R"("event":"lost","lines":104})"), std::string::npos);
  EXPECT_NE(text.find(R"("event":"policy")"), std::string::npos);
}

TEST_F(AuditLogSwapTest, WhatOverflowDoesMayChangeMeanwhile) {
  Swap(log_, UniqueFd(open("/dev/full", O_WRONLY | O_CLOEXEC)));
  FillUp();
  EXPECT_TRUE(log_.denies());
  log_.sink()->set_overflow(AuditOverflow::kDrop);
  EXPECT_FALSE(log_.denies());
  log_.sink()->set_overflow(AuditOverflow::kDeny);
  EXPECT_TRUE(log_.denies());
}

}  // namespace
}  // namespace sockgate
