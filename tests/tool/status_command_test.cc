// `sockgate status`, with a broker that says what the test wants.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/unique_fd.h"
#include "tests/broker/temp_folder.h"
#include "tests/integration/pipe_text.h"
#include "tests/tool/command.h"
#include "tests/tool/fake_control.h"
#include "tests/tool/status_reply.h"
#include "tests/tool/terminal_session.h"

namespace sockgate::testing {
namespace {

using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const char kEnter[] = "\033[?1049h\033[?25l\033[?7l";
const char kLeave[] = "\033[?7h\033[?25h\033[?1049l";

class StatusCommand : public ::testing::Test {
 protected:
  StatusCommand() { broker_->Say(FullStatusReply()); }

  std::vector<std::string> Arguments(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"status", "--control", control_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::unique_ptr<TerminalSession> Watch(unsigned short rows = 40, unsigned short columns = 100) {
    return std::make_unique<TerminalSession>(Arguments({"--watch", "--interval", "0.1"}), rows,
                                             columns);
  }
  // After it has ended, for whatever reason.
  static void ExpectRestored(TerminalSession* session) {
    EXPECT_THAT(session->Rest(), EndsWith(kLeave));
    EXPECT_TRUE(session->echoes());
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
  for (const char* more : {"", " --json", " --watch", " --watch --json"}) {
    const std::string command =
        absl::StrCat("tool/sockgate status --control ", control_, more, " >/dev/full 2>/dev/null");
    EXPECT_EQ(WEXITSTATUS(system(command.c_str())), 1) << more;
  }
}

TEST_F(StatusCommand, OptionsThatDoNotGoTogether) {
  EXPECT_EQ(RunSockgate(Arguments({"--interval", "1"})).status, 2);
  for (const char* interval : {"0", "-1", "x", "0.01", "1e9", "nan"}) {
    EXPECT_EQ(RunSockgate(Arguments({"--watch", "--interval", interval})).status, 2) << interval;
  }
}

TEST_F(StatusCommand, AWatchIsDrawnInPlaceUntilQ) {
  const auto session = Watch();
  EXPECT_EQ(session->Await("\033[H"), absl::StrCat(kEnter, "\033[H"));
  EXPECT_TRUE(session->Await("fetch  enforce       12        1        -"));
  json reply = FullStatusReply();
  reply["roles"][0]["connects"]["asked"] = 5'012'345;
  broker_->Say(reply);
  EXPECT_TRUE(session->Await("\033[H"));
  EXPECT_TRUE(session->Await("M       0        0       0"));  // millions per second
  EXPECT_FALSE(session->echoes());
  session->Type("xq");
  EXPECT_EQ(session->AwaitEnd(), 0);
  ExpectRestored(session.get());
}

TEST_F(StatusCommand, AWatchGivesTheTerminalBackWhateverEndsIt) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    const auto session = Watch();
    ASSERT_TRUE(session->Await("process:"));
    session->Signal(number);
    EXPECT_EQ(session->AwaitEnd(), -number);
    ExpectRestored(session.get());
  }
}

TEST_F(StatusCommand, CtrlCEndsAWatchThoughTheBrokerKeepsItsAnswer) {
  broker_->SayNothing();
  const auto session = Watch();
  ASSERT_TRUE(session->Await(absl::StrCat("the broker at ", control_, " does not answer: ")));
  EXPECT_TRUE(session->Await("; trying again"));
  session->Type("\003");
  EXPECT_EQ(session->AwaitEnd(), -SIGINT);
  ExpectRestored(session.get());
}

TEST_F(StatusCommand, AWatchSurvivesABrokerThatRestarts) {
  const auto session = Watch();
  ASSERT_TRUE(session->Await("process:"));
  broker_.reset();
  EXPECT_TRUE(session->Await(absl::StrCat("the broker at ", control_, " does not answer: ")));
  EXPECT_TRUE(session->Await("what it said 0s ago:"));
  broker_ = std::make_unique<FakeControl>(control_);
  json reply = FullStatusReply();
  reply["started_at"] = "2026-01-02T04:00:00Z";
  reply["roles"][0]["connects"]["asked"] = 1;
  broker_->Say(reply);
  EXPECT_TRUE(session->Await("the broker has started anew"));
  const auto after = session->Await("process:");
  ASSERT_TRUE(after.has_value());
  EXPECT_THAT(*after, HasSubstr("fetch  enforce       12        1        -"));
}

TEST_F(StatusCommand, AWatchFollowsTheTerminalsSize) {
  const auto session = Watch(8, 200);
  EXPECT_TRUE(session->Await(" more lines]"));
  session->Resize(40, 30);
  EXPECT_TRUE(session->Await("fetch  enforce       12      >"));
  EXPECT_TRUE(session->Await("[what ends in > goes on]"));
  session->Resize(40, 200);
  ASSERT_TRUE(session->Await("wakeups"));
  const auto frame = session->Await("wakeups");
  EXPECT_THAT(frame.value_or(">"), Not(HasSubstr(">")));
}

TEST_F(StatusCommand, AWatchThatIsStoppedLeavesTheScreenMeanwhile) {
  const auto session = Watch();
  ASSERT_TRUE(session->Await("process:"));
  session->Type("\032");
  ASSERT_TRUE(session->AwaitStop());
  EXPECT_TRUE(session->Await(kLeave));
  EXPECT_TRUE(session->echoes());
  session->Signal(SIGCONT);
  EXPECT_TRUE(session->Await(kEnter));
  EXPECT_TRUE(session->Await("process:"));
  EXPECT_FALSE(session->echoes());
}

TEST_F(StatusCommand, NoTextOfTheBrokersReachesTheTerminal) {
  json reply = FullStatusReply();
  reply["policy"]["file"] = "\033]0;owned\a";
  broker_->Say(reply);
  const auto session = Watch();
  const auto frame = session->Await("process:");
  ASSERT_TRUE(frame.has_value());
  EXPECT_THAT(*frame, HasSubstr("\\x1b]0;owned\\x07"));
  EXPECT_THAT(*frame, Not(HasSubstr("\033]")));
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
                                     control_, ": No such file or directory; trying again")));
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
  if (line.find("refused") != std::string::npos) line = watch.Until("\n");
  EXPECT_EQ(line, "{\"a\":1}\n");
}

}  // namespace
}  // namespace sockgate::testing
