// What becomes of what is asked ahead where the broker refuses, has limits, goes, or talks nonsense.
// Ahead of need nothing may fail that would not fail without.

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/client/asked_ahead_world.h"

namespace sockgate::testing {
namespace {

using Kind = ConnectError::Kind;
using std::chrono::milliseconds;

class AskedAheadFailureTest : public AskedAheadWorld {};

TEST_F(AskedAheadFailureTest, AnErrorThatCameBeforeTheCallIsForgotten) {
  for (const Outcome outcome : {Outcome::kDenied, Outcome::kFailed, Outcome::kBadRequest}) {
    client_->Prepare(Target("192.0.2.1"));
    line_.Reply(line_.NextRequest(), Saying(outcome));
    client_->Progress();
    std::thread broker([this] { Give(line_.NextRequest()); });
    EXPECT_TRUE(client_->Connect(To("192.0.2.1")).error.ok());
    broker.join();
  }
  EXPECT_EQ(Counts(), "asked 3 used 0 expired 0 closed 0 missed 3");
}

TEST_F(AskedAheadFailureTest, AnErrorThatTheCallWaitedForIsItsOwn) {
  for (const Outcome outcome : {Outcome::kDenied, Outcome::kFailed, Outcome::kBadRequest}) {
    client_->Prepare(Target("192.0.2.1"));
    line_.Reply(line_.NextRequest(), Saying(outcome));
    EXPECT_FALSE(client_->Connect(To("192.0.2.1")).error.ok());
    EXPECT_EQ(Asked(), "");
  }
}

TEST_F(AskedAheadFailureTest, OverALimitTheCallAsksForItselfAndNothingIsAskedAheadForAWhile) {
  client_->Prepare(Target("192.0.2.1"));
  line_.Reply(1, Saying(Outcome::kLimited));
  Give(2);
  const ConnectResult result = client_->Connect(To("192.0.2.1"));
  EXPECT_TRUE(result.error.ok()) << result.error.ToString();
  EXPECT_FALSE(result.prepared);
  EXPECT_EQ(client_->Prepare(Target("192.0.2.1")), 0U);
  std::this_thread::sleep_for(milliseconds(120));
  EXPECT_NE(client_->Prepare(Target("192.0.2.1")), 0U);
}

TEST_F(AskedAheadFailureTest, RepliesInAnyOrder) {
  for (const char* literal : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
    client_->Prepare(Target(literal));
  }
  const Marked third = Give(3);
  const Marked first = Give(1);
  EXPECT_TRUE(client_->Connect(To("192.0.2.1")).prepared);
  EXPECT_TRUE(first.Closed()) << "by the result's end";
  EXPECT_FALSE(third.Closed());
  Give(2);
  EXPECT_TRUE(client_->Connect(To("192.0.2.3")).prepared);
  EXPECT_TRUE(client_->Connect(To("192.0.2.2")).prepared);
}

TEST_F(AskedAheadFailureTest, NoMoreAreUnderWayThanRepliesFitTheChannel) {
  for (int i = 0; i < 20; ++i) client_->Prepare(Target("192.0.2.1"));
  uint32_t asked = 0;
  while (!Asked().empty()) ++asked;
  EXPECT_EQ(asked, AskedAhead::kMostOwed);
  Give(1);
  client_->Progress();
  EXPECT_EQ(Asked(), "192.0.2.1:443");
  EXPECT_EQ(Asked(), "");
}

TEST_F(AskedAheadFailureTest, NorThanTheRoleAllows) {
  Meet(2);
  for (int i = 0; i < 5; ++i) client_->Prepare(Target("192.0.2.1"));
  EXPECT_NE(Asked(), "");
  EXPECT_NE(Asked(), "");
  EXPECT_EQ(Asked(), "");
}

TEST_F(AskedAheadFailureTest, WhatIsNotSentYetIsAskedForByTheCall) {
  Meet(1);
  client_->Prepare(Target("192.0.2.1"));
  client_->Prepare(Target("192.0.2.2"));
  FakeBroker other;
  Mint(3, &other);
  other.Reply(1, Saying(Outcome::kDenied));
  EXPECT_EQ(client_->Connect(To("192.0.2.2")).error.kind, Kind::kDenied);
  EXPECT_EQ(Asked(), "192.0.2.1:443");
  Give(1);
  EXPECT_TRUE(client_->Connect(To("192.0.2.1")).prepared);
  EXPECT_EQ(Asked(), "");
  EXPECT_EQ(Counts(), "asked 2 used 1 expired 0 closed 0 missed 1");
}

TEST_F(AskedAheadFailureTest, ThereIsAMost) {
  for (size_t i = 0; i < SpareSockets::kMost; ++i) {
    EXPECT_NE(client_->Prepare(Target("192.0.2.1")), 0U);
  }
  EXPECT_EQ(client_->Prepare(Target("192.0.2.1")), 0U);
  EXPECT_EQ(client_->ahead_counts().missed, 1U);
}

// With the last channel that the role gives, what is needed now goes first.
TEST_F(AskedAheadFailureTest, ACallThatFindsNoChannelTakesTheLine) {
  client_->Prepare(Target("192.0.2.1"));
  EXPECT_EQ(Asked(), "192.0.2.1:443");
  OpenChannelReply no_more{Saying(Outcome::kLimited).result};
  no_more.result.reason = Reason::kChannels;
  first_.Reply(3, no_more);
  const Marked late = Give(1);
  line_.Reply(2, Saying(Outcome::kDenied));
  EXPECT_EQ(client_->Connect(To("192.0.2.2")).error.kind, Kind::kDenied);
  EXPECT_TRUE(late.Closed()) << "the late reply's socket";
  EXPECT_EQ(Counts(), "asked 1 used 0 expired 0 closed 0 missed 1");
}

TEST_F(AskedAheadFailureTest, WithoutAChannelNothingIsAskedAhead) {
  first_ = FakeBroker();
  first_.Greet();
  client_ = *BrokerClient::FromDescriptor(first_.TakeWorkerEnd());
  first_.Reply(2, OpenChannelReply{Saying(Outcome::kLimited).result});
  for (int i = 0; i < 10; ++i) client_->Prepare(Target("192.0.2.1"));
  uint32_t asked = 0;
  while (first_.NextRequest(nullptr, 0) != 0) ++asked;
  EXPECT_EQ(asked, 2U) << "hello, and one request for a channel";
  EXPECT_EQ(Counts(), "asked 10 used 0 expired 0 closed 0 missed 10");
}

TEST_F(AskedAheadFailureTest, TheChannelIsEverybodysWhenNothingIsAskedFor) {
  client_->Prepare(Target("192.0.2.1"));
  Give(1);
  EXPECT_TRUE(client_->Connect(To("192.0.2.1")).prepared);
  line_.Reply(2, Saying(Outcome::kDenied));
  EXPECT_EQ(client_->Connect(To("192.0.2.2")).error.kind, Kind::kDenied) << "no other was minted";
}

TEST_F(AskedAheadFailureTest, ABrokerThatGoesTakesAllOfItAlong) {
  client_->Prepare(Target("192.0.2.1"));
  client_->Prepare(Target("192.0.2.2"));
  const Marked socket = Give(1);
  client_->Progress();
  line_.Close();
  first_.Close();
  EXPECT_EQ(client_->Connect(To("192.0.2.2")).error.kind, Kind::kBrokerGone);
  EXPECT_TRUE(socket.Closed());
  EXPECT_EQ(client_->Connect(To("192.0.2.1")).error.kind, Kind::kBrokerGone);
  EXPECT_EQ(client_->Prepare(Target("192.0.2.1")), 0U);
}

TEST_F(AskedAheadFailureTest, WhatIsNotTheProtocolEndsTheLineAndNothingElse) {
  const decltype(Reply::body) wrong[] = {OpenChannelReply{Saying(Outcome::kLimited).result},
                                         Refusal(Outcome::kDenied, Reason::kDenyRule)};
  uint32_t minted = 2;
  for (const auto& body : wrong) {
    client_->Prepare(Target("192.0.2.1"));
    line_.Reply(1, body);
    Mint(++minted, &line_);
    Give(1);
    const ConnectResult result = client_->Connect(To("192.0.2.1"));
    EXPECT_TRUE(result.error.ok()) << result.error.ToString();
    EXPECT_FALSE(result.prepared);
    line_.Close();
    client_->Preconnect(Target("192.0.2.9"), 1);  // finds the end
    Mint(++minted, &line_);
  }
}

// The channel is taken for answered, so another may use it.
TEST_F(AskedAheadFailureTest, AnAnswerThatComesTwiceIsDropped) {
  client_->Prepare(Target("192.0.2.1"));
  client_->Prepare(Target("192.0.2.2"));
  const Marked first = Give(1);
  const Marked again = Give(1);
  client_->Progress();
  EXPECT_FALSE(first.Closed());
  EXPECT_TRUE(again.Closed());
  const Marked late = Give(2);
  line_.Reply(3, Saying(Outcome::kDenied));
  EXPECT_EQ(client_->Connect(To("192.0.2.2")).error.kind, Kind::kDenied) << "asked anew";
  EXPECT_TRUE(late.Closed());
  EXPECT_EQ(Counts(), "asked 2 used 0 expired 0 closed 0 missed 1");
}

TEST_F(AskedAheadFailureTest, AnIdThatWasNeverAskedIsNotTheProtocol) {
  client_->Prepare(Target("192.0.2.1"));
  const Marked socket = Give(2);
  client_->Progress();
  EXPECT_TRUE(socket.Closed());
  EXPECT_TRUE(line_.HungUp());
}

}  // namespace
}  // namespace sockgate::testing
