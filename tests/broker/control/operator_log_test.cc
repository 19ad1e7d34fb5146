#include "broker/control/operator_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <climits>
#include <vector>

namespace sockgate {
namespace {

// Should a write block after all, the alarm ends the test: the log's end of the pipe is one that
// may.
class OperatorLogTest : public ::testing::Test {
 protected:
  OperatorLogTest() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    EXPECT_GT(fcntl(ends[1], F_SETPIPE_SZ, 4 * PIPE_BUF), 0);
    reader_.Reset(ends[0]);
    log_ = std::make_unique<OperatorLog>(UniqueFd(ends[1]));
    alarm(60);
  }
  ~OperatorLogTest() override { alarm(0); }

  // What is there now.
  std::string Read() const {
    std::string text(size_t{64} * 1024, '\0');
    const ssize_t size = read(reader_.get(), text.data(), text.size());
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return text;
  }

  UniqueFd reader_;
  std::unique_ptr<OperatorLog> log_;
};

TEST_F(OperatorLogTest, LinesArriveAtOnce) {
  log_->Line("one");
  EXPECT_EQ(Read(), "one\n");
  log_->Line("two");
  log_->Line("");
  EXPECT_EQ(Read(), "two\n\n");
}

TEST_F(OperatorLogTest, WhatFindsNoRoomIsCounted) {
  const std::string line(999, 'x');
  for (int i = 0; i < 40; ++i) log_->Line(line);
  std::string text = Read();
  EXPECT_EQ(text.size() % 1000, 0U) << "whole lines only";
  const size_t lost = 40 - text.size() / 1000;
  EXPECT_GE(lost, 24U);
  log_->Line("again");
  EXPECT_EQ(Read(), "sockgate broker: " + std::to_string(lost) + " lines lost\nagain\n");
  log_->Line("and again");
  EXPECT_EQ(Read(), "and again\n");
}

TEST_F(OperatorLogTest, ALineThatIsTooLongIsCut) {
  log_->Line(std::string(100'000, 'x'));
  EXPECT_EQ(Read(), std::string(PIPE_BUF - 4, 'x') + "...\n");
  log_->Line(std::string(PIPE_BUF - 1, 'y'));
  EXPECT_EQ(Read(), std::string(PIPE_BUF - 1, 'y') + "\n");
}

TEST_F(OperatorLogTest, OneLineStaysOne) {
  log_->Line("a\n{\"event\":\"forged\"}\r\x1b[2J\xc3\xa9");
  EXPECT_EQ(Read(), "a?{\"event\":\"forged\"}??[2J\xc3\xa9\n");
}

TEST_F(OperatorLogTest, AReaderThatHasGone) {
  reader_.Reset();
  log_->Line("x");  // and no SIGPIPE
}

TEST(OperatorLogSocketTest, ASocketThatIsFull) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd reader(ends[0]);
  OperatorLog log{UniqueFd(ends[1])};
  alarm(60);
  for (int i = 0; i < 1000; ++i) log.Line(std::string(999, 'x'));
  alarm(0);
  char first[1000];
  ASSERT_EQ(read(reader.get(), first, sizeof(first)), 1000);
  EXPECT_EQ(first[999], '\n');
}

TEST(OperatorLogNowhereTest, NobodyListens) { OperatorLog{UniqueFd()}.Line("x"); }

}  // namespace
}  // namespace sockgate
