#include "client/channel.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

#include "proto/packet_socket.h"
#include "tests/client/fake_broker.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;
using std::chrono::milliseconds;
using testing::FakeBroker;
using testing::Marked;
using testing::Saying;

constexpr milliseconds kLong(20'000);
constexpr milliseconds kShort(50);

ConnectRequest AnyConnect() {
  ConnectRequest request;
  request.deadline_ms = 1000;
  return request;
}

class ChannelTest : public ::testing::Test {
 protected:
  Kind Connect(milliseconds deadline = kLong) {
    descriptor_.Reset();
    return channel_.Call(AnyConnect(), deadline, &reply_, &descriptor_);
  }
  Outcome outcome() const { return std::get<ConnectReply>(reply_.body).result.outcome; }

  FakeBroker broker_;
  Channel channel_{broker_.TakeWorkerEnd()};
  Reply reply_;
  UniqueFd descriptor_;
};

TEST_F(ChannelTest, ARequestAndItsReply) {
  Marked socket;
  broker_.Reply(1, Saying(Outcome::kConnected), socket.near_side.get());
  ASSERT_EQ(Connect(), Kind::kNone);
  EXPECT_EQ(outcome(), Outcome::kConnected);
  EXPECT_TRUE(descriptor_.valid());
  decltype(Request::body) asked;
  EXPECT_EQ(broker_.NextRequest(&asked), 1U);
  EXPECT_EQ(std::get<ConnectRequest>(asked).deadline_ms, 1000U);
  socket.LetGo();
  EXPECT_FALSE(socket.Closed());
  descriptor_.Reset();
  EXPECT_TRUE(socket.Closed());
}

TEST_F(ChannelTest, IdsCountUpwards) {
  for (uint32_t id = 1; id <= 5; ++id) {
    broker_.Reply(id, Saying(Outcome::kDenied));
    ASSERT_EQ(Connect(), Kind::kNone);
    EXPECT_EQ(broker_.NextRequest(), id);
    EXPECT_FALSE(descriptor_.valid());
  }
}

TEST_F(ChannelTest, NoAnswerInTime) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Connect(milliseconds(150)), Kind::kNoAnswer);
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took, milliseconds(150));
  EXPECT_LT(took, milliseconds(150 + kDeadlineTickMs + 500));
}

// The reply to a call that gave up comes before the next one's, with a socket that nobody wants.
TEST_F(ChannelTest, ALateReplyIsDroppedAndItsDescriptorClosed) {
  ASSERT_EQ(Connect(kShort), Kind::kNoAnswer);
  Marked late;
  Marked right;
  broker_.Reply(1, Saying(Outcome::kConnected), late.near_side.get());
  broker_.Reply(2, Saying(Outcome::kStarted), right.near_side.get());
  late.LetGo();
  right.LetGo();
  ASSERT_EQ(Connect(), Kind::kNone);
  EXPECT_EQ(outcome(), Outcome::kStarted);
  EXPECT_TRUE(late.Closed());
  EXPECT_FALSE(right.Closed());
}

// To close it would not do: the broker has a duplicate.
TEST_F(ChannelTest, ATrackedSocketThatNobodyWaitsForIsShutDown) {
  ASSERT_EQ(Connect(kShort), Kind::kNoAnswer);
  Marked late;
  ConnectReply tracked = Saying(Outcome::kConnected);
  tracked.tracked = true;
  broker_.Reply(1, tracked, late.near_side.get());
  broker_.Reply(2, Saying(Outcome::kDenied));
  ASSERT_EQ(Connect(), Kind::kNone);
  EXPECT_TRUE(late.Closed()) << "while the broker's is open";
}

TEST_F(ChannelTest, ManyLateRepliesInAnyOrder) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Connect(milliseconds(1)), Kind::kNoAnswer);
  broker_.Reply(3, Saying(Outcome::kDenied));
  broker_.Reply(1, OpenChannelReply{Saying(Outcome::kLimited).result});
  broker_.Reply(4, Saying(Outcome::kFailed));
  ASSERT_EQ(Connect(), Kind::kNone);
  EXPECT_EQ(outcome(), Outcome::kFailed);
}

TEST_F(ChannelTest, AReplyToWhatWasNeverAskedIsNotTheProtocol) {
  for (const uint32_t id : {2U, 1000U, 0x7fffffffU}) {
    FakeBroker broker;
    Channel channel(broker.TakeWorkerEnd());
    Marked socket;
    broker.Reply(id, Saying(Outcome::kConnected), socket.near_side.get());
    socket.LetGo();
    EXPECT_EQ(channel.Call(AnyConnect(), kLong, &reply_, &descriptor_), Kind::kBadReply);
    EXPECT_FALSE(descriptor_.valid());
    EXPECT_TRUE(socket.Closed());
  }
}

TEST_F(ChannelTest, AReplyOfAnotherKindIsNotTheProtocol) {
  Marked socket;
  OpenChannelReply opened;
  opened.result.outcome = Outcome::kOpened;
  broker_.Reply(1, opened, socket.near_side.get());
  socket.LetGo();
  EXPECT_EQ(Connect(), Kind::kBadReply);
  EXPECT_FALSE(descriptor_.valid());
  EXPECT_TRUE(socket.Closed());
}

TEST_F(ChannelTest, ADescriptorThatIsMissing) {
  broker_.Reply(1, Saying(Outcome::kConnected));
  EXPECT_EQ(Connect(), Kind::kBadReply);
}

TEST_F(ChannelTest, ADescriptorThatNobodyMentioned) {
  for (const Outcome outcome :
       {Outcome::kDenied, Outcome::kFailed, Outcome::kLimited, Outcome::kBadRequest}) {
    FakeBroker broker;
    Channel channel(broker.TakeWorkerEnd());
    Marked socket;
    broker.Reply(1, Saying(outcome), socket.near_side.get());
    socket.LetGo();
    EXPECT_EQ(channel.Call(AnyConnect(), kLong, &reply_, &descriptor_), Kind::kBadReply);
    EXPECT_TRUE(socket.Closed());
  }
}

TEST_F(ChannelTest, TwoDescriptors) {
  Marked sockets[2];
  // A connect reply that says connected.
  std::vector<uint8_t> packet(24);
  packet[0] = 0x82;
  packet[4] = 1;
  packet[8] = static_cast<uint8_t>(Outcome::kConnected);
  broker_.ReplyBytes(packet, {sockets[0].near_side.get(), sockets[1].near_side.get()});
  for (Marked& socket : sockets) socket.LetGo();
  EXPECT_EQ(Connect(), Kind::kBadReply);
  for (const Marked& socket : sockets) EXPECT_TRUE(socket.Closed());
}

TEST_F(ChannelTest, Garbage) {
  const std::vector<uint8_t> packets[] = {
      {0xff}, std::vector<uint8_t>(24), std::vector<uint8_t>(kMaxPacketBytes + 1, 0x82)};
  for (const auto& packet : packets) {
    FakeBroker broker;
    Channel channel(broker.TakeWorkerEnd());
    broker.ReplyBytes(packet);
    EXPECT_EQ(channel.Call(AnyConnect(), kLong, &reply_, &descriptor_), Kind::kBadReply);
  }
}

TEST_F(ChannelTest, ABrokerThatHasGoneAlready) {
  broker_.Close();
  EXPECT_EQ(Connect(), Kind::kBrokerGone);
  EXPECT_EQ(Connect(), Kind::kBrokerGone);
}

TEST_F(ChannelTest, ABrokerThatGoesInTheMiddleEndsTheWaitAtOnce) {
  std::thread broker([this] {
    broker_.NextRequest();
    broker_.Close();
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Connect(), Kind::kBrokerGone);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  broker.join();
}

// It closed before it had read the request, which the kernel reports differently.
TEST_F(ChannelTest, ABrokerThatGoesWithoutReading) {
  std::thread broker([this] {
    std::this_thread::sleep_for(milliseconds(20));
    broker_.Close();
  });
  EXPECT_EQ(Connect(), Kind::kBrokerGone);
  broker.join();
}

// The channel fills up; a request that never left uses no id.
TEST_F(ChannelTest, ABrokerThatDoesNotReadIsNoAnswer) {
  const int small = 4096;
  ASSERT_EQ(setsockopt(channel_.descriptor(), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(Connect(milliseconds(1)), Kind::kNoAnswer);
  uint32_t last = 0;
  for (uint32_t id; (id = broker_.NextRequest(nullptr, 0)) != 0; last = id) {
    ASSERT_EQ(id, last + 1);
  }
  EXPECT_LT(last, 20U);
  broker_.Reply(last + 1, Saying(Outcome::kDenied));
  EXPECT_EQ(Connect(), Kind::kNone);
}

TEST_F(ChannelTest, NoNumberLeftForTheDescriptor) {
  broker_.Reply(1, Saying(Outcome::kDenied));
  ASSERT_EQ(Connect(), Kind::kNone);
  Marked socket;
  broker_.Reply(2, Saying(Outcome::kConnected), socket.near_side.get());
  socket.LetGo();
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_EQ(Connect(), Kind::kTableFull);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(socket.Closed());
  // The channel is as good as before.
  broker_.Reply(3, Saying(Outcome::kDenied));
  EXPECT_EQ(Connect(), Kind::kNone);
}

TEST_F(ChannelTest, ARequestThatCannotBeEncodedUsesNoId) {
  const std::string name(kMaxNameBytes + 1, 'x');
  ResolveRequest resolve;
  resolve.name = name;
  EXPECT_EQ(channel_.Call(resolve, kLong, &reply_, &descriptor_), Kind::kBadRequest);
  broker_.Reply(1, Saying(Outcome::kDenied));
  EXPECT_EQ(Connect(kShort), Kind::kNone);
  EXPECT_EQ(broker_.NextRequest(), 1U);
}

// Each signal interrupts the wait; none of them may begin it anew.
TEST_F(ChannelTest, AStormOfSignalsDoesNotExtendTheDeadline) {
  struct sigaction handler = {};
  struct sigaction before = {};
  handler.sa_handler = [](int) {};
  ASSERT_EQ(sigaction(SIGALRM, &handler, &before), 0);
  const itimerval storm = {{0, 2000}, {0, 2000}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &storm, nullptr), 0);
  const auto start = std::chrono::steady_clock::now();
  const Kind kind = Connect(milliseconds(250));
  const auto took = std::chrono::steady_clock::now() - start;
  Marked socket;
  broker_.Reply(2, Saying(Outcome::kConnected), socket.near_side.get());
  const Kind next = Connect(milliseconds(5000));
  const itimerval calm = {};
  setitimer(ITIMER_REAL, &calm, nullptr);
  sigaction(SIGALRM, &before, nullptr);
  EXPECT_EQ(kind, Kind::kNoAnswer);
  EXPECT_GE(took, milliseconds(250));
  EXPECT_LT(took, milliseconds(250 + kDeadlineTickMs + 500));
  EXPECT_EQ(next, Kind::kNone);
}

// The broker's duplicate would keep a tracked connection open.
TEST_F(ChannelTest, WhatCameTooLateForAnAbandonedCallIsShutDown) {
  ASSERT_EQ(Connect(kShort), Kind::kNoAnswer);
  const Marked late;
  ConnectReply tracked = Saying(Outcome::kConnected);
  tracked.tracked = true;
  broker_.Reply(1, tracked, late.near_side.get());
  const auto start = std::chrono::steady_clock::now();
  channel_.Abandon();
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(50));
  EXPECT_TRUE(late.Closed()) << "although its near side is open here";
  EXPECT_TRUE(broker_.HungUp());
  EXPECT_EQ(Connect(), Kind::kBrokerGone);
}

}  // namespace
}  // namespace sockgate
