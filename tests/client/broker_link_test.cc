#include "client/broker_link.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "proto/handover.h"
#include "tests/client/fake_broker.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::FakeBroker;
using testing::FakeSource;

constexpr uint8_t kNoBroker = static_cast<uint8_t>(SourceAnswer::kNoBroker);

// A link to a broker that has greeted, and which reconnects by a source.
class BrokerLinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    first_.Greet(kCapabilityResolve);
    ASSERT_TRUE(link_.Open(first_.TakeWorkerEnd()).ok());
  }

  std::shared_ptr<BrokerContact> Get(milliseconds time = milliseconds(0)) {
    return link_.Get(steady_clock::now() + time, &error_);
  }

  // As a call that needs the broker finds out.
  static void Lose(BrokerContact& contact, FakeBroker& broker) {
    broker.Close();
    Reply reply;
    UniqueFd none;
    EXPECT_EQ(contact.channels.CallFirst(OpenChannelRequest(), &reply, &none), Kind::kBrokerGone);
  }
  void LoseFirst() { Lose(*Get(), first_); }

  FakeBroker first_;
  FakeSource source_;
  BrokerLink link_{ReconnectBy::Source(source_.TakeWorkerEnd())};
  ConnectError error_;
};

TEST(BrokerLinkAloneTest, WithoutAWayToTheNextBrokerALossIsForGood) {
  FakeBroker broker;
  broker.Greet();
  BrokerLink link(ReconnectBy::Nothing());
  ASSERT_TRUE(link.Open(broker.TakeWorkerEnd()).ok());
  ConnectError error;
  const auto contact = link.Get(steady_clock::now(), &error);
  ASSERT_NE(contact, nullptr);
  broker.Close();
  Reply reply;
  UniqueFd none;
  contact->channels.CallFirst(OpenChannelRequest(), &reply, &none);
  EXPECT_EQ(link.Get(steady_clock::now() + std::chrono::minutes(1), &error), nullptr);
  EXPECT_EQ(error.kind, Kind::kBrokerGone);
  EXPECT_EQ(error.retry_after_ms, 0U);
  EXPECT_EQ(link.Gone().retry_after_ms, 0U);
}

TEST_F(BrokerLinkTest, WhileTheBrokerIsThereNobodyIsAsked) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Get()->number, 1U);
  EXPECT_EQ(source_.Asked(), 0);
}

TEST_F(BrokerLinkTest, AfterALossTheFirstAttemptIsMadeAtOnce) {
  LoseFirst();
  FakeBroker next;
  next.Greet(0);
  source_.Give(next);
  const auto contact = Get();
  ASSERT_NE(contact, nullptr) << error_.ToString();
  EXPECT_EQ(contact->number, 2U);
  EXPECT_EQ(contact->capabilities, 0U) << "this one does not resolve";
  EXPECT_EQ(link_.capabilities(), 0U);
  EXPECT_EQ(next.NextRequest(), 1U) << "the hello";
}

TEST_F(BrokerLinkTest, BetweenAttemptsACallIsToldAtOnceWhenTheNextIs) {
  LoseFirst();
  source_.Say(kNoBroker);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Get(), nullptr);
    EXPECT_EQ(error_.kind, Kind::kBrokerGone);
    EXPECT_GE(error_.retry_after_ms, 1U);
    EXPECT_LE(error_.retry_after_ms, 2 * Backoff::kShortest.count());
  }
  EXPECT_EQ(source_.Asked(), 1);
}

TEST_F(BrokerLinkTest, ThePausesGrow) {
  LoseFirst();
  for (milliseconds step = Backoff::kShortest; step <= milliseconds(400); step *= 2) {
    source_.Say(kNoBroker);
    EXPECT_EQ(Get(), nullptr);
    EXPECT_GE(milliseconds(error_.retry_after_ms), step - milliseconds(20));
    EXPECT_LE(milliseconds(error_.retry_after_ms), 2 * step);
    std::this_thread::sleep_for(milliseconds(error_.retry_after_ms + 1));
  }
  EXPECT_EQ(source_.Asked(), 4);
}

TEST_F(BrokerLinkTest, ACallThatMayWaitDoesSoForTheNextAttempt) {
  LoseFirst();
  FakeBroker next;
  next.Greet();
  source_.Say(kNoBroker);
  source_.Say(kNoBroker);
  source_.Give(next);
  EXPECT_NE(Get(std::chrono::minutes(1)), nullptr) << error_.ToString();
  EXPECT_EQ(source_.Asked(), 3);
}

TEST_F(BrokerLinkTest, NobodyWaitsForABrokerThatDoesNotComeBack) {
  LoseFirst();
  for (int i = 0; i < 10; ++i) source_.Say(kNoBroker);
  const auto begun = steady_clock::now();
  EXPECT_EQ(Get(std::chrono::minutes(1)), nullptr);
  const auto first = steady_clock::now() - begun;
  EXPECT_LT(first, BrokerLink::kRestartPatience + milliseconds(500));
  EXPECT_EQ(Get(std::chrono::minutes(1)), nullptr) << "the next one is told at once";
  EXPECT_LT(steady_clock::now() - begun - first, milliseconds(200));
  EXPECT_GT(error_.retry_after_ms, 0U);
}

TEST_F(BrokerLinkTest, ABrokerThatSpeaksNonsenseIsNotTriedAgainSoon) {
  LoseFirst();
  FakeBroker next;
  next.ReplyBytes({'H', 'T', 'T', 'P'});
  source_.Give(next);
  EXPECT_EQ(Get(), nullptr);
  EXPECT_EQ(error_.kind, Kind::kBadReply);
  EXPECT_GT(error_.retry_after_ms, 4000U);
  EXPECT_EQ(Get(std::chrono::minutes(1)), nullptr) << "it is not waited for either";
  EXPECT_EQ(error_.kind, Kind::kBadReply);
  EXPECT_EQ(source_.Asked(), 1);
}

TEST_F(BrokerLinkTest, NorIsOneOfAnotherVersion) {
  LoseFirst();
  FakeBroker next;
  next.Reply(1, HelloReply());
  source_.Give(next);
  EXPECT_EQ(Get(), nullptr);
  EXPECT_EQ(error_.kind, Kind::kBadReply);
  EXPECT_GT(error_.retry_after_ms, 4000U);
}

TEST_F(BrokerLinkTest, ABrokerThatBeginsToSpeakNonsenseEndsTheContact) {
  first_.ReplyBytes({'H', 'T', 'T', 'P'});
  Reply reply;
  UniqueFd none;
  EXPECT_EQ(Get()->channels.CallFirst(OpenChannelRequest(), &reply, &none), Kind::kBadReply);
  EXPECT_EQ(Get(), nullptr);
  EXPECT_EQ(error_.kind, Kind::kBadReply);
  EXPECT_GT(error_.retry_after_ms, 4000U);
  EXPECT_EQ(source_.Asked(), 0);
}

// It may be that our own request ends it.
TEST_F(BrokerLinkTest, ABrokerThatEndsBeforeItHasAnsweredIsNotComeBackToAtOnce) {
  LoseFirst();
  FakeBroker next;
  next.Greet();
  source_.Give(next);
  Lose(*Get(), next);
  EXPECT_EQ(Get(), nullptr);
  EXPECT_EQ(error_.kind, Kind::kBrokerGone);
  EXPECT_EQ(source_.Asked(), 1);
}

TEST_F(BrokerLinkTest, OneThatHasAnsweredIs) {
  LoseFirst();
  FakeBroker next;
  next.Greet();
  source_.Give(next);
  const auto contact = Get();
  ASSERT_NE(contact, nullptr);
  link_.NoteAnswer(contact.get());
  Lose(*contact, next);
  FakeBroker third;
  third.Greet();
  source_.Give(third);
  EXPECT_NE(Get(), nullptr) << error_.ToString();
}

TEST_F(BrokerLinkTest, AllThreadsShareOneAttempt) {
  LoseFirst();
  FakeBroker next;
  std::vector<std::thread> threads(8);
  for (std::thread& thread : threads) {
    thread = std::thread([this] {
      ConnectError error;
      const auto contact = link_.Get(steady_clock::now(), &error);
      ASSERT_NE(contact, nullptr) << error.ToString();
      EXPECT_EQ(contact->number, 2U);
    });
  }
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ(source_.Asked(), 1);
  next.Greet();
  source_.Give(next);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(source_.Asked(), 0);
}

TEST_F(BrokerLinkTest, WithoutALauncherNothingIsPromised) {
  LoseFirst();
  source_.Close();
  EXPECT_EQ(Get(std::chrono::minutes(1)), nullptr);
  EXPECT_EQ(error_.kind, Kind::kBrokerGone);
  EXPECT_EQ(error_.retry_after_ms, 0U);
  EXPECT_FALSE(link_.reconnects());
}

}  // namespace
}  // namespace sockgate
