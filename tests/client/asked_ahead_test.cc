// What a client asks for ahead of need, against a broker that says what the test wants said. Its
// first channel mints; all that is asked ahead comes by the second, the line.

#include "client/asked_ahead.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "client/broker_client.h"
#include "tests/client/fake_broker.h"
#include "tests/client/fake_resolver.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;
using std::chrono::milliseconds;
using testing::Addresses;
using testing::FakeBroker;
using testing::Marked;
using testing::Refusal;
using testing::Saying;

constexpr ConnectMode kConnected = ConnectMode::kConnected;
constexpr ConnectMode kInProgress = ConnectMode::kInProgress;

ConnectRequest To(const std::string& literal, ConnectMode mode = kConnected, uint16_t port = 443) {
  ConnectRequest request;
  request.mode = mode;
  request.deadline_ms = 10'000;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse(literal), port);
  return request;
}

AheadTarget Target(const std::string& literal, ConnectMode mode = kConnected) {
  AheadTarget target;
  target.request = To(literal, mode);
  return target;
}

AheadTarget Named(absl::string_view name, ConnectMode mode = kConnected) {
  AheadTarget target;
  target.request = To("0.0.0.0", mode);
  target.name = name;
  return target;
}

class AskedAheadTest : public ::testing::Test {
 protected:
  AskedAheadTest() { Meet(); }

  void Meet(uint16_t max_outstanding = 256) {
    first_ = FakeBroker();
    first_.Greet(kCapabilityResolve, max_outstanding);
    client_ = *BrokerClient::FromDescriptor(first_.TakeWorkerEnd());
    EXPECT_EQ(first_.NextRequest(), 1U);
    Mint(2, &line_);
  }

  // Answers the request for a channel that will come with this id.
  void Mint(uint32_t id, FakeBroker* channel) {
    *channel = FakeBroker();
    OpenChannelReply opened;
    opened.result.outcome = Outcome::kOpened;
    const UniqueFd end = channel->TakeWorkerEnd();
    first_.Reply(id, opened, end.get());
  }

  // Where the next request on the line goes: "192.0.2.1:443", "a.test", "" for none.
  std::string Asked(int patience_ms = 0) {
    decltype(Request::body) body;
    if (line_.NextRequest(&body, patience_ms) == 0) return "";
    if (const auto* connect = std::get_if<ConnectRequest>(&body)) {
      return connect->endpoint.ToString();
    }
    return std::string{std::get<ResolveRequest>(body).name};
  }

  // A socket as the reply to request `id` of the line.
  Marked Give(uint32_t id, bool tracked = false) {
    Marked socket;
    ConnectReply reply = Saying(Outcome::kConnected);
    reply.tracked = tracked;
    line_.Reply(id, reply, socket.near_side.get());
    socket.LetGo();
    return socket;
  }

  std::string Counts() const {
    const AheadCounts counts = client_->ahead_counts();
    return "asked " + std::to_string(counts.asked) + " used " + std::to_string(counts.used) +
           " expired " + std::to_string(counts.expired) + " closed " +
           std::to_string(counts.closed) + " missed " + std::to_string(counts.missed);
  }

  FakeBroker first_;
  FakeBroker line_;
  std::unique_ptr<BrokerClient> client_;
};

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

// Ahead of need nothing may fail that would not fail without.
TEST_F(AskedAheadTest, AnErrorThatCameBeforeTheCallIsForgotten) {
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

TEST_F(AskedAheadTest, AnErrorThatTheCallWaitedForIsItsOwn) {
  for (const Outcome outcome : {Outcome::kDenied, Outcome::kFailed, Outcome::kBadRequest}) {
    client_->Prepare(Target("192.0.2.1"));
    line_.Reply(line_.NextRequest(), Saying(outcome));
    EXPECT_FALSE(client_->Connect(To("192.0.2.1")).error.ok());
    EXPECT_EQ(Asked(), "");
  }
}

TEST_F(AskedAheadTest, OverALimitTheCallAsksForItselfAndNothingIsAskedAheadForAWhile) {
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

TEST_F(AskedAheadTest, RepliesInAnyOrder) {
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

TEST_F(AskedAheadTest, NoMoreAreUnderWayThanRepliesFitTheChannel) {
  for (int i = 0; i < 20; ++i) client_->Prepare(Target("192.0.2.1"));
  uint32_t asked = 0;
  while (!Asked().empty()) ++asked;
  EXPECT_EQ(asked, AskedAhead::kMostOwed);
  Give(1);
  client_->Progress();
  EXPECT_EQ(Asked(), "192.0.2.1:443");
  EXPECT_EQ(Asked(), "");
}

TEST_F(AskedAheadTest, NorThanTheRoleAllows) {
  Meet(2);
  for (int i = 0; i < 5; ++i) client_->Prepare(Target("192.0.2.1"));
  EXPECT_NE(Asked(), "");
  EXPECT_NE(Asked(), "");
  EXPECT_EQ(Asked(), "");
}

TEST_F(AskedAheadTest, WhatIsNotSentYetIsAskedForByTheCall) {
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

TEST_F(AskedAheadTest, ThereIsAMost) {
  for (size_t i = 0; i < SpareSockets::kMost; ++i) {
    EXPECT_NE(client_->Prepare(Target("192.0.2.1")), 0U);
  }
  EXPECT_EQ(client_->Prepare(Target("192.0.2.1")), 0U);
  EXPECT_EQ(client_->ahead_counts().missed, 1U);
}

// With the last channel that the role gives, what is needed now goes first.
TEST_F(AskedAheadTest, ACallThatFindsNoChannelTakesTheLine) {
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

TEST_F(AskedAheadTest, WithoutAChannelNothingIsAskedAhead) {
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

TEST_F(AskedAheadTest, TheChannelIsEverybodysWhenNothingIsAskedFor) {
  client_->Prepare(Target("192.0.2.1"));
  Give(1);
  EXPECT_TRUE(client_->Connect(To("192.0.2.1")).prepared);
  line_.Reply(2, Saying(Outcome::kDenied));
  EXPECT_EQ(client_->Connect(To("192.0.2.2")).error.kind, Kind::kDenied) << "no other was minted";
}

TEST_F(AskedAheadTest, ABrokerThatGoesTakesAllOfItAlong) {
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

TEST_F(AskedAheadTest, WhatIsNotTheProtocolEndsTheLineAndNothingElse) {
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
TEST_F(AskedAheadTest, AnAnswerThatComesTwiceIsDropped) {
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

TEST_F(AskedAheadTest, AnIdThatWasNeverAskedIsNotTheProtocol) {
  client_->Prepare(Target("192.0.2.1"));
  const Marked socket = Give(2);
  client_->Progress();
  EXPECT_TRUE(socket.Closed());
  EXPECT_TRUE(line_.HungUp());
}

}  // namespace
}  // namespace sockgate
