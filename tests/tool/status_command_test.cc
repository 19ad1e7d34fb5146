// `sockgate status` without a terminal, with a broker that says what the test wants.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "tests/broker/temp_folder.h"
#include "tests/integration/pipe_text.h"
#include "tests/tool/command.h"
#include "tests/tool/fake_control.h"
#include "tests/tool/status_reply.h"

namespace sockgate::testing {
namespace {

using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class StatusCommand : public ::testing::Test {
 protected:
  StatusCommand() { broker_->Say(FullStatusReply()); }

  std::vector<std::string> Arguments(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"status", "--control", control_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  const TempFolder folder_;
  const std::string control_ = folder_ / "control";
  std::unique_ptr<FakeControl> broker_ = std::make_unique<FakeControl>(control_);
};

TEST_F(StatusCommand, PrintsTables) {
  const CommandResult status = RunSockgate(Arguments());
  EXPECT_EQ(status.status, 0) << status.err;
  EXPECT_THAT(status.out, StartsWith("policy 3 of /etc/sockgate/policy.toml, loaded at "));
  EXPECT_THAT(status.out, EndsWith("fetch  0660  /run/sockgate/fetch\n"));
}

TEST_F(StatusCommand, JsonIsAsTheBrokerSaysItButFitForATerminal) {
  json reply = FullStatusReply();
  reply["new"] = "\033[2J\u009b\x7f";
  broker_->Say(reply);
  const CommandResult status = RunSockgate(Arguments({"--json"}));
  EXPECT_EQ(json::parse(status.out), reply);
  for (const char c : status.out) EXPECT_TRUE((c >= ' ' && c <= '~') || c == '\n');
}

TEST_F(StatusCommand, ABrokersErrorIsPrintable) {
  broker_->Say({{"error", "no\033[2J"}});
  const CommandResult status = RunSockgate(Arguments());
  EXPECT_EQ(status.status, 1);
  EXPECT_EQ(status.err, "sockgate status: no\\x1b[2J\n");
}

TEST_F(StatusCommand, WhatCannotBePrintedIsAFailure) {
  const std::vector<std::vector<std::string>> cases = {
      {}, {"--json"}, {"--watch"}, {"--watch", "--json"}};
  for (const auto& more : cases) EXPECT_EQ(RunSockgateInto("/dev/full", Arguments(more)), 1);
}

TEST_F(StatusCommand, OptionsThatDoNotGoTogether) {
  EXPECT_EQ(RunSockgate(Arguments({"--interval", "1"})).status, 2);
  for (const char* interval : {"0", "-1", "x", "0.01", "1e9", "nan"}) {
    EXPECT_EQ(RunSockgate(Arguments({"--watch", "--interval", interval})).status, 2) << interval;
  }
}

// What comes through a pipe. Every wait ends after ten seconds.
class PipedWatch {
 public:
  explicit PipedWatch(const std::vector<std::string>& arguments) : pid_(fork()) {
    if (pid_ == 0) {
      dup2(pipe_.writer.get(), STDOUT_FILENO);
      dup2(pipe_.writer.get(), STDERR_FILENO);
      ExecuteSockgate(arguments);
    }
    pipe_.writer.Reset();
  }
  ~PipedWatch() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  PipedWatch(const PipedWatch&) = delete;
  PipedWatch& operator=(const PipedWatch&) = delete;

  std::string Until(const std::string& end) {
    std::string text;
    char c;
    pollfd entry = {pipe_.reader.get(), POLLIN, 0};
    while (text.find(end) == std::string::npos && poll(&entry, 1, 10'000) == 1 &&
           read(entry.fd, &c, 1) == 1) {
      text += c;
    }
    return text;
  }

 private:
  Pipe pipe_;
  const pid_t pid_;
};

TEST_F(StatusCommand, ThroughAPipeAWatchIsPlainBlocks) {
  PipedWatch watch(Arguments({"--watch", "--interval", "0.1"}));
  for (int i = 0; i < 2; ++i) {
    const std::string block = watch.Until("wakeups" + std::string(i == 0 ? "" : " (0/s)") + "\n\n");
    EXPECT_THAT(block, StartsWith("broker: up 12s"));
    EXPECT_THAT(block, Not(HasSubstr("\033")));
  }
  broker_.reset();
  EXPECT_THAT(watch.Until("trying again\n\n"),
              HasSubstr(absl::StrCat("the broker at ", control_, " does not answer: no broker at ",
                                     control_, ": there is no such path: is it started, with this ",
                                     "--control?; trying again")));
}

TEST_F(StatusCommand, AWatchInJsonIsALineForEachAnswer) {
  PipedWatch watch(Arguments({"--watch", "--json", "--interval", "0.1"}));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(json::parse(watch.Until("\n")), FullStatusReply());
  broker_.reset();
  // On standard error, once.
  EXPECT_THAT(watch.Until("trying again\n"), HasSubstr("sockgate status: no broker at "));
  usleep(300'000);
  broker_ = std::make_unique<FakeControl>(control_);
  broker_->Say({{"a", 1}});
  std::string line = watch.Until("\n");
  // In the moment between bind(2) and listen(2) a connection is refused.
  if (line.find("nobody listens") != std::string::npos) line = watch.Until("\n");
  EXPECT_EQ(line, "{\"a\":1}\n");
}

}  // namespace
}  // namespace sockgate::testing
