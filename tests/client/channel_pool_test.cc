#include "client/channel_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "proto/packet_socket.h"
#include "tests/client/fake_broker.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;
using std::chrono::milliseconds;
using testing::FakeBroker;

ChannelPool::TimePoint After(milliseconds time) { return std::chrono::steady_clock::now() + time; }

// The broker's answers are there before the questions.
class ChannelPoolTest : public ::testing::Test {
 protected:
  static UniqueFd Prepared(UniqueFd end) {
    EXPECT_TRUE(PrepareWorkerEnd(end.get()));
    return end;
  }

  void SayOpened(uint32_t id) {
    OpenChannelReply reply;
    reply.result.outcome = Outcome::kOpened;
    const UniqueFd minted = FakeBroker().TakeWorkerEnd();
    broker_.Reply(id, reply, minted.get());
  }

  void SayFull(uint32_t id) {
    OpenChannelReply reply;
    reply.result.outcome = Outcome::kLimited;
    reply.result.reason = Reason::kChannels;
    reply.result.retry_after_ms = 100;
    broker_.Reply(id, reply);
  }

  std::unique_ptr<Channel> Take(milliseconds time = milliseconds(0)) {
    return pool_.Take(After(time), &error_);
  }

  FakeBroker broker_;
  ChannelPool pool_{Prepared(broker_.TakeWorkerEnd())};
  ConnectError error_;
};

TEST_F(ChannelPoolTest, AChannelThatCameBackServesTheNextCall) {
  SayOpened(1);
  auto channel = Take();
  ASSERT_NE(channel, nullptr) << error_.ToString();
  const int descriptor = channel->descriptor();
  pool_.GiveBack(std::move(channel), Kind::kNone);
  channel = Take();
  ASSERT_NE(channel, nullptr) << error_.ToString();
  EXPECT_TRUE(error_.ok());
  EXPECT_EQ(channel->descriptor(), descriptor);
}

TEST_F(ChannelPoolTest, WithoutAnyChannelThereIsNothingToWaitFor) {
  SayFull(1);
  EXPECT_EQ(Take(std::chrono::minutes(1)), nullptr);
  EXPECT_EQ(error_.reason, Reason::kChannels);
}

TEST_F(ChannelPoolTest, OverTheLimitACallWaitsForAnotherAndTheBrokerIsAskedOnce) {
  SayOpened(1);
  SayFull(2);
  auto lent = Take();
  ASSERT_NE(lent, nullptr);
  EXPECT_EQ(Take(milliseconds(20)), nullptr);
  EXPECT_EQ(error_.kind, Kind::kLimited);
  EXPECT_EQ(Take(milliseconds(20)), nullptr);

  auto waiting = std::async(std::launch::async, [&] { return Take(std::chrono::minutes(1)); });
  std::this_thread::sleep_for(milliseconds(50));
  pool_.GiveBack(std::move(lent), Kind::kNone);
  EXPECT_NE(waiting.get(), nullptr);
  EXPECT_TRUE(error_.ok());
  EXPECT_EQ(broker_.NextRequest(), 1U);
  EXPECT_EQ(broker_.NextRequest(), 2U);
  EXPECT_EQ(broker_.NextRequest(nullptr, 0), 0U);
}

TEST_F(ChannelPoolTest, InPlaceOfALostChannelAnotherIsMinted) {
  SayOpened(1);
  SayFull(2);
  auto lent = Take();
  ASSERT_NE(lent, nullptr);
  EXPECT_EQ(Take(), nullptr);
  auto waiting = std::async(std::launch::async, [&] { return Take(std::chrono::minutes(1)); });
  std::this_thread::sleep_for(milliseconds(50));
  SayOpened(3);
  pool_.GiveBack(std::move(lent), Kind::kBadReply);
  EXPECT_NE(waiting.get(), nullptr);
}

// Somebody may have come back, or the policy may have become more generous.
TEST_F(ChannelPoolTest, OnceNobodyWaitsTheBrokerIsAskedAgain) {
  SayOpened(1);
  SayFull(2);
  auto lent = Take();
  ASSERT_NE(lent, nullptr);
  EXPECT_EQ(Take(), nullptr);
  pool_.GiveBack(std::move(lent), Kind::kNone);
  auto first = Take();
  EXPECT_NE(first, nullptr);
  SayOpened(3);
  EXPECT_NE(Take(), nullptr) << error_.ToString();
}

TEST_F(ChannelPoolTest, ABrokerThatEndedIsNotWaitedFor) {
  broker_.Close();
  EXPECT_EQ(Take(std::chrono::minutes(1)), nullptr);
  EXPECT_EQ(error_.kind, Kind::kBrokerGone);
}

TEST_F(ChannelPoolTest, WithTheChannelThatMintsAllOthersEnd) {
  FakeBroker minted;
  OpenChannelReply opened;
  opened.result.outcome = Outcome::kOpened;
  {
    const UniqueFd end = minted.TakeWorkerEnd();
    broker_.Reply(1, opened, end.get());
  }
  auto idle = Take();
  ASSERT_NE(idle, nullptr);
  SayOpened(2);
  auto lent = Take();
  ASSERT_NE(lent, nullptr);
  pool_.GiveBack(std::move(idle), Kind::kNone);
  EXPECT_EQ(pool_.ended(), Kind::kNone);

  broker_.Close();
  Reply reply;
  UniqueFd none;
  EXPECT_EQ(pool_.CallFirst(OpenChannelRequest(), &reply, &none), Kind::kBrokerGone);
  EXPECT_EQ(pool_.ended(), Kind::kBrokerGone);
  EXPECT_TRUE(minted.HungUp());
  pool_.GiveBack(std::move(lent), Kind::kNone);
  EXPECT_EQ(Take(std::chrono::minutes(1)), nullptr) << "what came back is closed";
  EXPECT_EQ(error_.kind, Kind::kBrokerGone);
}

TEST_F(ChannelPoolTest, ABrokerThatSpokeNonsenseIsNotAskedAgain) {
  broker_.ReplyBytes({'H', 'T', 'T', 'P'});
  EXPECT_EQ(Take(), nullptr);
  EXPECT_EQ(error_.kind, Kind::kBadReply);
  EXPECT_TRUE(broker_.HungUp());
  EXPECT_EQ(Take(), nullptr);
  EXPECT_EQ(error_.kind, Kind::kBadReply);
}

// Whoever waits for a channel must not wait for a broker that has gone.
TEST_F(ChannelPoolTest, WhoWaitsForAChannelIsToldOfTheEnd) {
  SayOpened(1);
  SayFull(2);
  auto lent = Take();
  ASSERT_NE(lent, nullptr);
  EXPECT_EQ(Take(), nullptr);
  auto waiting = std::async(std::launch::async, [&] { return Take(std::chrono::minutes(1)); });
  std::this_thread::sleep_for(milliseconds(50));
  broker_.Close();
  Reply reply;
  UniqueFd none;
  pool_.CallFirst(OpenChannelRequest(), &reply, &none);
  EXPECT_EQ(waiting.get(), nullptr);
  EXPECT_EQ(error_.kind, Kind::kBrokerGone);
}

// Its answer, with a socket perhaps, would lie there until the next call.
TEST_F(ChannelPoolTest, AChannelWithAnAnswerStillToComeIsClosed) {
  FakeBroker minted;
  OpenChannelReply opened;
  opened.result.outcome = Outcome::kOpened;
  {
    const UniqueFd end = minted.TakeWorkerEnd();
    broker_.Reply(1, opened, end.get());
  }
  auto channel = Take();
  ASSERT_NE(channel, nullptr);
  testing::Marked socket;
  minted.Reply(1, testing::Saying(Outcome::kConnected), socket.near_side.get());
  socket.LetGo();
  pool_.GiveBack(std::move(channel), Kind::kNoAnswer);
  EXPECT_TRUE(socket.Closed());
  SayOpened(2);
  EXPECT_NE(Take(), nullptr) << "another in its place";
}

}  // namespace
}  // namespace sockgate
