#include "tool/watched_broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "tests/tool/status_reply.h"
#include "tool/status_reader.h"

namespace sockgate {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using testing::FullStatusReply;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Times in seconds from some moment.
class WatchedBrokerTest : public ::testing::Test {
 protected:
  static WatchedBroker::TimePoint At(int seconds) {
    return WatchedBroker::TimePoint(std::chrono::seconds(1000 + seconds));
  }
  void Answer(int seconds, uint64_t asked) {
    json reply = FullStatusReply();
    reply["roles"][0]["connects"]["asked"] = asked;
    broker_.Answered(*ReadStatus(reply), At(seconds));
  }
  std::string Text(int seconds) const { return absl::StrJoin(broker_.Lines(At(seconds)), "\n"); }

  WatchedBroker broker_{"/run/\033c", WatchedBroker::Silence::kLastAnswer};
};

TEST_F(WatchedBrokerTest, RatesAreOfTheTimeBetweenTwoAnswers) {
  Answer(0, 1000);
  EXPECT_THAT(Text(0), HasSubstr("fetch  enforce       12        1        -"));
  Answer(4, 1100);
  EXPECT_THAT(Text(4), HasSubstr("fetch  enforce       12        1       25"));
}

TEST_F(WatchedBrokerTest, OneThatWasNeverThereIsSaidToBeSilent) {
  EXPECT_TRUE(broker_.Lines(At(0)).empty());
  broker_.Silent("no\nbroker");
  EXPECT_THAT(
      broker_.Lines(At(1)),
      ElementsAre("the broker at /run/\\x1bc does not answer: no\\x0abroker; trying again"));
}

TEST_F(WatchedBrokerTest, OfOneThatFellSilentItsLastAnswerIsShownWithItsAge) {
  Answer(0, 1000);
  broker_.Silent("no answer for 2s");
  EXPECT_THAT(Text(65), StartsWith("the broker at /run/\\x1bc does not answer: no answer for 2s; "
                                   "trying again\nwhat it said 1m 5s ago:\nbroker: up 12s"));
}

TEST_F(WatchedBrokerTest, OrNothingElseIsShown) {
  WatchedBroker broker("/run/c", WatchedBroker::Silence::kAlone);
  broker.Answered(*ReadStatus(FullStatusReply()), At(0));
  broker.Silent("no answer for 2s");
  EXPECT_THAT(broker.Lines(At(2)),
              ElementsAre("the broker at /run/c does not answer: no answer for 2s; trying again"));
}

TEST_F(WatchedBrokerTest, OneThatAnswersAgainIsCountedOverAllTheTime) {
  Answer(0, 1000);
  broker_.Silent("no answer for 2s");
  Answer(10, 1100);
  EXPECT_THAT(Text(10), Not(HasSubstr("trying again")));
  EXPECT_THAT(Text(10), HasSubstr("fetch  enforce       12        1       10"));
}

TEST_F(WatchedBrokerTest, OneThatStartedAnewHasNoRatesUntilItsSecondAnswer) {
  Answer(0, 1000);
  Answer(1, 10);
  EXPECT_THAT(Text(1), HasSubstr("started anew"));
  EXPECT_THAT(Text(1), HasSubstr("fetch  enforce       12        1        -"));
  Answer(2, 30);
  EXPECT_THAT(Text(2), Not(HasSubstr("started anew")));
  EXPECT_THAT(Text(2), HasSubstr("fetch  enforce       12        1       20"));
}

}  // namespace
}  // namespace sockgate
