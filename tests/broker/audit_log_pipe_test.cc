// A log whose reader is slow, or has gone: the broker must neither wait nor die.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "broker/audit_log.h"

namespace sockgate {
namespace {

using nlohmann::json;

// Should a write block after all, the alarm ends the test.
class AuditLogPipeTest : public ::testing::Test {
 protected:
  AuditLogPipeTest() {
    worker_.role = {std::shared_ptr<void>(), &role_};
    attempt_.worker = &worker_;
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader_.Reset(ends[0]);
    log_ = std::make_unique<AuditLog>(UniqueFd(ends[1]));
    alarm(60);
  }
  ~AuditLogPipeTest() override { alarm(0); }

  void Decide() {
    ++attempt_.request_id;
    log_->Decision(attempt_, Verdict());
  }

  // Returns how many lines that took.
  uint32_t FillUp() {
    while (!log_->full()) {
      Decide();
      if (log_->batch_full()) log_->Flush();
    }
    return attempt_.request_id;
  }

  // What is in the pipe now.
  std::string Read() {
    std::string text;
    std::array<char, 4096> block;
    pollfd entry = {reader_.get(), POLLIN, 0};
    while (poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN) != 0) {
      const ssize_t size = read(reader_.get(), block.data(), block.size());
      if (size <= 0) break;
      text.append(block.data(), static_cast<size_t>(size));
    }
    return text;
  }

  Role role_;
  WorkerRecord worker_;
  Attempt attempt_;
  UniqueFd reader_;
  std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogPipeTest, ASlowReaderMakesItFullAndNothingIsLost) {
  const uint32_t lines = FillUp();
  EXPECT_TRUE(log_->pending());
  std::string text;
  while (log_->pending()) {
    text += Read();
    log_->Flush();
  }
  text += Read();
  EXPECT_FALSE(log_->full());
  std::istringstream stream(text);
  uint32_t expected = 0;
  for (std::string line; std::getline(stream, line);) {
    ASSERT_EQ(json::parse(line).at("request"), ++expected);
  }
  EXPECT_EQ(expected, lines);
}

// Or the lines of another writer to the same pipe would be found amid ours.
TEST_F(AuditLogPipeTest, EveryWriteIsOfWholeLines) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_DIRECT | O_NONBLOCK), 0);  // a read gets what one write put
  const UniqueFd reader(ends[0]);
  AuditLog log{UniqueFd(ends[1])};
  uint32_t expected = 0;
  for (uint32_t made = 0; expected < 1000;) {
    for (int i = 0; i < 100; ++i) {
      attempt_.request_id = ++made;
      log.Decision(attempt_, Verdict());
    }
    log.Flush();
    std::array<char, PIPE_BUF> block;
    ssize_t size = 0;
    while ((size = read(reader.get(), block.data(), block.size())) > 0) {
      ASSERT_EQ(block[static_cast<size_t>(size) - 1], '\n');
      std::istringstream stream(std::string(block.data(), static_cast<size_t>(size)));
      for (std::string line; std::getline(stream, line);) {
        ASSERT_EQ(json::parse(line).at("request"), ++expected);
      }
    }
  }
}

TEST_F(AuditLogPipeTest, OneReadMakesRoomForOneMore) {
  FillUp();
  for (int i = 0; i < 100 && log_->full(); ++i) {
    Read();
    log_->Flush();
  }
  EXPECT_FALSE(log_->full());
}

// Beyond the bound go only the ends of what was decided before; the rest is counted.
TEST_F(AuditLogPipeTest, WhatIsSkippedWhenFullIsCounted) {
  FillUp();
  Result limited;
  limited.outcome = Outcome::kLimited;
  limited.reason = Reason::kAuditLog;
  for (int i = 0; i < 100; ++i) {
    log_->Channel(worker_, 1, "opened", "");
    log_->Completion(attempt_, limited, attempt_.begun);
  }
  Result failed;
  failed.outcome = Outcome::kFailed;
  log_->Completion(attempt_, failed, attempt_.begun);
  std::string text;
  while (log_->pending()) {
    text += Read();
    log_->Flush();
  }
  text += Read();
  EXPECT_NE(text.find(R"("event":"completion")"), std::string::npos);
  EXPECT_EQ(text.find(R"("change":"opened")"), std::string::npos);
  EXPECT_NE(text.find(R"("event":"lost","lines":200})"), std::string::npos);
  log_->Channel(worker_, 1, "opened", "");
  log_->Flush();
  EXPECT_NE(Read().find(R"("change":"opened")"), std::string::npos);
}

TEST_F(AuditLogPipeTest, WhereLinesMayBeDroppedNothingStopsDecisions) {
  const auto sink = std::make_shared<AuditSink>(UniqueFd(open("/dev/full", O_WRONLY | O_CLOEXEC)));
  sink->set_overflow(AuditOverflow::kDrop);
  log_ = std::make_unique<AuditLog>(sink);
  const uint32_t lines = FillUp();
  EXPECT_FALSE(log_->stops_decisions());
  for (int i = 0; i < 1000; ++i) Decide();
  EXPECT_EQ(log_->lost(), 1000U);
  int ends[2] = {-1, -1};
  ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  reader_.Reset(ends[0]);
  sink->Replace(UniqueFd(ends[1]));
  std::string text;
  for (log_->Flush(); log_->pending(); log_->Flush()) text += Read();
  text += Read();
  EXPECT_NE(text.find(R"("event":"lost","lines":1000})"), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), lines + 1);
}

TEST_F(AuditLogPipeTest, AReaderThatHasGoneMakesItFullAndRaisesNoSignal) {
  reader_.Reset();
  FillUp();
  log_->Flush();
  EXPECT_TRUE(log_->full());
  EXPECT_TRUE(log_->stops_decisions());
}

TEST_F(AuditLogPipeTest, AReaderThatGoesInBetween) {
  Decide();
  log_->Flush();
  EXPECT_FALSE(log_->pending());
  reader_.Reset();
  Decide();
  log_->Flush();
  EXPECT_TRUE(log_->pending());
}

TEST(AuditLogDiskTest, AFullDiskMakesItFull) {
  UniqueFd full_disk(open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full_disk.valid());
  AuditLog log(std::move(full_disk));
  Role role;
  WorkerRecord worker;
  worker.role = {std::shared_ptr<void>(), &role};
  for (int i = 0; i < 20'000; ++i) {
    log.Channel(worker, 1, "opened", "");
    if (i % 100 == 0) log.Flush();
  }
  EXPECT_TRUE(log.full());
}

}  // namespace
}  // namespace sockgate
