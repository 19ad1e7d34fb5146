// Whose request comes next when there are more than the broker can answer at once.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "broker/session.h"
#include "tests/broker/server_world.h"

namespace sockgate {
namespace {

using testing::ConnectTo;
using testing::ServerWorld;
using testing::TestWorker;

constexpr char kDenied[] = "192.0.2.66";

class SessionTurnsTest : public ::testing::Test, protected ServerWorld {
 protected:
  // Fits into a channel's buffers in both directions.
  static constexpr int kMany = 10;

  static void SendMany(TestWorker* worker, int count = kMany) {
    for (int i = 0; i < count; ++i) worker->Send(ConnectTo(kDenied));
  }

  static void ReceiveMany(TestWorker* worker, int count = kMany) {
    for (int i = 0; i < count; ++i) EXPECT_EQ(worker->Receive().result().outcome, Outcome::kDenied);
  }

  // The worker, which has had some turns before, uses up its share, one request after the other.
  void UseShare(TestWorker* worker, uint32_t turns = 1) {
    for (uint32_t i = turns; i < Backlog::kShare; ++i) worker->Ask(ConnectTo(kDenied));
    decided_ += Backlog::kShare - turns;
  }

  // The workers of the decisions in the log, in order, but for those of UseShare().
  std::vector<uint64_t> Decided() {
    std::vector<uint64_t> workers;
    for (const auto& line : Audit("decision")) workers.push_back(line.at("worker"));
    workers.erase(workers.begin(), workers.begin() + decided_);
    return workers;
  }

 private:
  ptrdiff_t decided_ = 0;
};

TEST_F(SessionTurnsTest, WhoAsksSeldomWaitsForOneRequestOfWhoFloods) {
  TestWorker flood = AddGreetedWorker();
  std::vector<TestWorker> minted;
  for (int i = 0; i < 8; ++i) minted.emplace_back(flood.Ask(OpenChannelRequest()).descriptor);
  TestWorker seldom = AddGreetedWorker();
  UseShare(&flood, 9);
  Do([&] {
    SendMany(&flood);
    for (TestWorker& channel : minted) SendMany(&channel);
    seldom.Send(ConnectTo(kDenied));
  });
  ReceiveMany(&flood);
  for (TestWorker& channel : minted) ReceiveMany(&channel);
  ReceiveMany(&seldom, 1);
  const std::vector<uint64_t> decided = Decided();
  ASSERT_EQ(decided.size(), 9U * kMany + 1U);
  EXPECT_TRUE(decided[0] == 2 || decided[1] == 2) << "after one turn of the flood at most";
}

TEST_F(SessionTurnsTest, ChannelsGiveAWorkerNoMoreTurns) {
  TestWorker flood = AddGreetedWorker();
  std::vector<TestWorker> minted;
  for (int i = 0; i < 8; ++i) minted.emplace_back(flood.Ask(OpenChannelRequest()).descriptor);
  TestWorker second = AddGreetedWorker();
  UseShare(&flood, 9);
  UseShare(&second);
  Do([&] {
    for (TestWorker& channel : minted) SendMany(&channel, 4);
    SendMany(&second, 4);
  });
  for (TestWorker& channel : minted) ReceiveMany(&channel, 4);
  ReceiveMany(&second, 4);
  const std::vector<uint64_t> decided = Decided();
  ASSERT_EQ(decided.size(), 36U);
  // One turn each, as long as both have something to say.
  for (size_t i = 0; i < 8; i += 2) EXPECT_NE(decided[i], decided[i + 1]) << i;
}

TEST_F(SessionTurnsTest, AWorkerThatIsAloneHasAllTurns) {
  TestWorker worker = AddGreetedWorker();
  for (int round = 0; round < 20; ++round) {
    SendMany(&worker);
    ReceiveMany(&worker);
  }
  EXPECT_EQ(Audit("decision").size(), size_t{20} * kMany);
}

TEST_F(SessionTurnsTest, WhoHasNothingToSayIsAskedNoMore) {
  TestWorker worker = AddGreetedWorker();
  for (int round = 0; round < 3; ++round) UseShare(&worker);
  uint64_t before = 0;
  Do([&] { before = thread.loop()->wakeups(); });
  EXPECT_TRUE(worker.Quiet());
  Do([&] { EXPECT_LE(thread.loop()->wakeups(), before + 3) << "the loop waits"; });
}

TEST_F(SessionTurnsTest, WhoWaitsForATurnMayGo) {
  TestWorker flood = AddGreetedWorker();
  TestWorker other = AddGreetedWorker();
  UseShare(&flood);
  Do([&] {
    SendMany(&flood);
    flood.Close();
  });
  EXPECT_TRUE(AwaitChannels(1));
  EXPECT_EQ(other.Ask(ConnectTo(kDenied)).result().outcome, Outcome::kDenied);
}

TEST_F(SessionTurnsTest, GarbageAmongWhatWaitsEndsTheChannelAlone) {
  TestWorker flood = AddGreetedWorker();
  TestWorker minted(flood.Ask(OpenChannelRequest()).descriptor);
  UseShare(&flood, 2);
  Do([&] {
    SendMany(&flood, 2);
    flood.SendBytes({1, 2, 3});
    SendMany(&flood, 2);
    SendMany(&minted, 2);
  });
  ReceiveMany(&minted, 2);
  EXPECT_TRUE(flood.Closed());
  EXPECT_TRUE(AwaitChannels(1));
  EXPECT_EQ(Decided().size(), 4U);
}

// One that does not read is not read from, whatever it has sent.
TEST_F(SessionTurnsTest, WhoDoesNotReadHasNoTurns) {
  TestWorker flood = AddGreetedWorker();
  UseShare(&flood);
  SendMany(&flood, 200);
  TestWorker other = AddGreetedWorker();
  EXPECT_EQ(other.Ask(ConnectTo(kDenied)).result().outcome, Outcome::kDenied);
  uint64_t before = 0;
  Do([&] { before = thread.loop()->wakeups(); });
  EXPECT_TRUE(other.Quiet());
  Do([&] { EXPECT_LE(thread.loop()->wakeups(), before + 20) << "the loop waits"; });
  ReceiveMany(&flood, 200);
}

}  // namespace
}  // namespace sockgate
