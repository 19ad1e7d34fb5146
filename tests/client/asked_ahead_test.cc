// What a client asks for ahead of need, and to whom it hands that out.

#include "client/asked_ahead.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "tests/client/asked_ahead_world.h"

namespace sockgate::testing {
namespace {

using Kind = ConnectError::Kind;
using std::chrono::milliseconds;

class AskedAheadTest : public AskedAheadWorld {};

TEST_F(AskedAheadTest, TheRequestIsSentAtOnceAndItsSocketHandedOutLater) {
  EXPECT_NE(client_->Prepare(Target("192.0.2.1")), 0U);
  EXPECT_EQ(Asked(), "192.0.2.1:443");
  const Marked socket = Give(1);
  client_->Progress();
  const ConnectResult result = client_->Connect(To("192.0.2.1"));
  EXPECT_TRUE(result.error.ok());
  EXPECT_TRUE(result.socket.valid());
  EXPECT_TRUE(result.prepared);
  EXPECT_EQ(Asked(), "") << "nothing is asked twice";
  EXPECT_EQ(Counts(), "asked 1 used 1 expired 0 closed 0 missed 0");
}

TEST_F(AskedAheadTest, AReplyThatIsStillUnderWayIsWaitedFor) {
  client_->Prepare(Target("192.0.2.1"));
  std::thread broker([this] {
    std::this_thread::sleep_for(milliseconds(150));
    Give(1);
  });
  EXPECT_TRUE(client_->Connect(To("192.0.2.1")).prepared);
  broker.join();
}

TEST_F(AskedAheadTest, ANameIsLookedUpAndThenTheAddressThatIsTriedFirst) {
  client_->Prepare(Named("a.test"));
  EXPECT_EQ(Asked(), "a.test");
  line_.Reply(1, Addresses({"192.0.2.1", "2001:db8::1"}));
  EXPECT_EQ(client_->Resolve("A.test.", NameFamily::kAny).addresses.size(), 2U);
  EXPECT_EQ(Asked(), "[2001:db8::1]:443") << "sent by the call that found the addresses";
  const Marked socket = Give(2);
  EXPECT_TRUE(client_->Connect(To("2001:db8::1")).prepared);
  // The name is known for a moment.
  client_->Prepare(Named("a.test"));
  EXPECT_EQ(Asked(), "[2001:db8::1]:443");
}

TEST_F(AskedAheadTest, ProgressIsEnoughForTheConnectAfterTheLookup) {
  client_->Prepare(Named("a.test"));
  client_->Progress();
  EXPECT_EQ(Asked(), "a.test");
  EXPECT_EQ(Asked(), "");
  line_.Reply(1, Addresses({"192.0.2.1"}));
  client_->Progress();
  EXPECT_EQ(Asked(), "192.0.2.1:443");
}

TEST_F(AskedAheadTest, ALookupThatIsUnderWayIsWaitedFor) {
  client_->Prepare(Named("a.test"));
  std::thread broker([this] {
    std::this_thread::sleep_for(milliseconds(150));
    line_.Reply(1, Addresses({"192.0.2.1"}));
  });
  EXPECT_EQ(client_->Resolve("a.test", NameFamily::kAny).addresses.size(), 1U);
  broker.join();
  line_.Reply(2, Saying(Outcome::kDenied));  // the address
  client_->Prepare(Named("denied.test"));
  line_.Reply(3, Refusal(Outcome::kDenied, Reason::kDenyRule, 3));
  EXPECT_EQ(client_->Resolve("denied.test", NameFamily::kAny).error.kind, Kind::kDenied);
}

TEST_F(AskedAheadTest, OnlyTheSameAddressKindAndModeFit) {
  client_->Prepare(Target("192.0.2.1"));
  const Marked socket = Give(1);
  client_->Progress();
  ConnectRequest datagram = To("192.0.2.1");
  datagram.transport = Transport::kDatagram;
  uint32_t id = 2;
  for (const ConnectRequest& other :
       {To("192.0.2.2"), To("192.0.2.1", kInProgress), To("192.0.2.1", kConnected, 80), datagram}) {
    line_.Reply(id++, Saying(Outcome::kDenied));
    EXPECT_EQ(client_->Connect(other).error.kind, Kind::kDenied) << "asked for itself";
  }
  EXPECT_TRUE(client_->Connect(To("192.0.2.1")).prepared);
}

TEST_F(AskedAheadTest, ASocketWhosePeerHasGoneIsNotHandedOut) {
  client_->Prepare(Target("192.0.2.1"));
  Marked socket = Give(1);
  client_->Progress();
  socket.far_side.Reset();
  Give(2);
  const ConnectResult result = client_->Connect(To("192.0.2.1"));
  EXPECT_TRUE(result.error.ok());
  EXPECT_FALSE(result.prepared) << "asked anew";
  EXPECT_EQ(Counts(), "asked 1 used 0 expired 0 closed 1 missed 0");
}

TEST_F(AskedAheadTest, ASocketThatIsTooOldIsClosedByTheNextCall) {
  client_->set_spare_age(milliseconds(20));
  client_->Prepare(Target("192.0.2.1"));
  const Marked socket = Give(1);
  client_->Progress();
  EXPECT_FALSE(socket.Closed());
  std::this_thread::sleep_for(milliseconds(40));
  client_->Progress();
  EXPECT_TRUE(socket.Closed());
  EXPECT_EQ(Counts(), "asked 1 used 0 expired 1 closed 0 missed 0");
}

// Its transfers use connections that they have.
TEST_F(AskedAheadTest, WhereOneHasGrownTooOldNoneIsPreparedForAWhile) {
  client_->set_spare_age(milliseconds(0));
  client_->Prepare(Target("192.0.2.1"));
  EXPECT_EQ(Asked(), "192.0.2.1:443");
  const Marked socket = Give(1);
  client_->Progress();
  std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(client_->Prepare(Target("192.0.2.1")), 0U);
  EXPECT_EQ(Asked(), "");
  EXPECT_NE(client_->Prepare(Target("192.0.2.1", kInProgress)), 0U);
  EXPECT_EQ(client_->Preconnect(Target("192.0.2.1"), 1), 1U) << "whoever says so wants it";
}

// To close it would not do: the broker has a duplicate.
TEST_F(AskedAheadTest, WhatTheBrokerHoldsTooIsShutDown) {
  client_->Prepare(Target("192.0.2.1"));
  client_->Prepare(Target("192.0.2.2", kInProgress));
  client_->Prepare(Target("192.0.2.3"));
  Marked tracked;
  ConnectReply reply = Saying(Outcome::kConnected);
  reply.tracked = true;
  line_.Reply(1, reply, tracked.near_side.get());
  Marked started;
  line_.Reply(2, Saying(Outcome::kStarted), started.near_side.get());
  Marked plain;
  line_.Reply(3, Saying(Outcome::kConnected), plain.near_side.get());
  client_->Progress();
  client_.reset();
  EXPECT_TRUE(tracked.Closed());
  EXPECT_TRUE(started.Closed());
  EXPECT_FALSE(plain.Closed()) << "only closed here";
}

TEST_F(AskedAheadTest, WhatATransferDidNotNeedGoesToTheNext) {
  const uint64_t ticket = client_->Prepare(Target("192.0.2.1"));
  EXPECT_EQ(Asked(), "192.0.2.1:443");
  Give(1);
  client_->Release(ticket);
  EXPECT_NE(client_->Prepare(Target("192.0.2.1")), ticket);
  EXPECT_EQ(Asked(), "");
  client_->Prepare(Target("192.0.2.1"));
  EXPECT_EQ(Asked(), "192.0.2.1:443") << "that one is taken";
  EXPECT_TRUE(client_->Connect(To("192.0.2.1")).prepared);
  EXPECT_EQ(Counts(), "asked 2 used 1 expired 0 closed 0 missed 0");
}

TEST_F(AskedAheadTest, PreconnectKeepsSoMany) {
  EXPECT_EQ(client_->Preconnect(Target("192.0.2.1"), 3), 3U);
  EXPECT_EQ(client_->Preconnect(Target("192.0.2.1"), 3), 3U);
  for (uint32_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(Asked(), "192.0.2.1:443");
    Give(id);
  }
  EXPECT_EQ(Asked(), "");
  EXPECT_TRUE(client_->Connect(To("192.0.2.1")).prepared);
  EXPECT_EQ(client_->Preconnect(Target("192.0.2.1"), 3), 3U);
  EXPECT_EQ(Asked(), "192.0.2.1:443");
}

}  // namespace
}  // namespace sockgate::testing
