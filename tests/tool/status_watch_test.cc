// `sockgate status --watch` on a terminal, with a broker that says what the test wants.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "tests/broker/temp_folder.h"
#include "tests/tool/fake_control.h"
#include "tests/tool/status_reply.h"
#include "tests/tool/terminal_session.h"

namespace sockgate::testing {
namespace {

using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

const char kEnter[] = "\033[?1049h\033[?25l\033[?7l";
const char kLeave[] = "\033[?7h\033[?25h\033[?1049l";

class StatusWatch : public ::testing::Test {
 protected:
  StatusWatch() { broker_->Say(FullStatusReply()); }

  std::unique_ptr<TerminalSession> Watch(unsigned short rows = 40, unsigned short columns = 100) {
    return std::make_unique<TerminalSession>(
        std::vector<std::string>{"status", "--control", control_, "--watch", "--interval", "0.1"},
        rows, columns);
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

TEST_F(StatusWatch, AWatchIsDrawnInPlaceUntilQ) {
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

TEST_F(StatusWatch, AWatchGivesTheTerminalBackWhateverEndsIt) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    const auto session = Watch();
    ASSERT_TRUE(session->Await("process:"));
    session->Signal(number);
    EXPECT_EQ(session->AwaitEnd(), -number);
    ExpectRestored(session.get());
  }
}

TEST_F(StatusWatch, CtrlCEndsAWatchThoughTheBrokerKeepsItsAnswer) {
  broker_->SayNothing();
  const auto session = Watch();
  ASSERT_TRUE(session->Await(absl::StrCat("the broker at ", control_, " does not answer: ")));
  EXPECT_TRUE(session->Await("; trying again"));
  session->Type("\003");
  EXPECT_EQ(session->AwaitEnd(), -SIGINT);
  ExpectRestored(session.get());
}

TEST_F(StatusWatch, AWatchSurvivesABrokerThatRestarts) {
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

TEST_F(StatusWatch, AWatchFollowsTheTerminalsSize) {
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

TEST_F(StatusWatch, AWatchThatIsStoppedLeavesTheScreenMeanwhile) {
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

TEST_F(StatusWatch, NoTextOfTheBrokersReachesTheTerminal) {
  json reply = FullStatusReply();
  reply["policy"]["file"] = "\033]0;owned\a";
  broker_->Say(reply);
  const auto session = Watch();
  const auto frame = session->Await("process:");
  ASSERT_TRUE(frame.has_value());
  EXPECT_THAT(*frame, HasSubstr("\\x1b]0;owned\\x07"));
  EXPECT_THAT(*frame, Not(HasSubstr("\033]")));
}

}  // namespace
}  // namespace sockgate::testing
