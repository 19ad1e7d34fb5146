// Whose request comes next when there are more than the broker can answer at once.

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

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

  static std::vector<TestWorker> Mint(TestWorker* worker, int count) {
    std::vector<TestWorker> minted;
    for (int i = 0; i < count; ++i) {
      minted.emplace_back(worker->Ask(OpenChannelRequest()).descriptor);
    }
    return minted;
  }

  // The workers of the decisions in the log, in order.
  std::vector<uint64_t> Decided() {
    std::vector<uint64_t> workers;
    for (const auto& line : Audit("decision")) workers.push_back(line.at("worker"));
    return workers;
  }
  // In the loop's thread.
  size_t DecidedSoFar() const { return server->Crowds().at(role.name).metrics.connects.asked; }
};

TEST_F(SessionTurnsTest, WhoAsksForOneThingWaitsForOneRequestOfAWorkerThatFloods) {
  TestWorker flood = AddGreetedWorker();
  std::vector<TestWorker> minted = Mint(&flood, 8);
  TestWorker seldom = AddGreetedWorker();
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

TEST_F(SessionTurnsTest, AndForOneOfAllWhoFlood) {
  std::vector<TestWorker> floods;
  for (int i = 0; i < 20; ++i) floods.push_back(AddGreetedWorker());
  TestWorker seldom = AddGreetedWorker();
  Do([&] {
    for (TestWorker& flood : floods) SendMany(&flood);
  });
  size_t before = 0;
  Do([&] {
    before = DecidedSoFar();
    seldom.Send(ConnectTo(kDenied));
  });
  ReceiveMany(&seldom, 1);
  for (TestWorker& flood : floods) ReceiveMany(&flood);
  const std::vector<uint64_t> decided = Decided();
  ASSERT_EQ(decided.size(), 20U * kMany + 1U);
  const auto found = std::find(decided.begin(), decided.end(), 21);
  EXPECT_LE(static_cast<size_t>(found - decided.begin()), before + 1);
}

TEST_F(SessionTurnsTest, ChannelsGiveAWorkerNoMoreTurns) {
  TestWorker flood = AddGreetedWorker();
  std::vector<TestWorker> minted = Mint(&flood, 8);
  TestWorker second = AddGreetedWorker();
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
  std::vector<TestWorker> minted = Mint(&worker, 8);
  Do([&] {
    for (TestWorker& channel : minted) SendMany(&channel);
  });
  for (TestWorker& channel : minted) ReceiveMany(&channel);
  uint64_t before = 0;
  Do([&] { before = thread.loop()->wakeups(); });
  EXPECT_TRUE(worker.Quiet());
  Do([&] { EXPECT_LE(thread.loop()->wakeups(), before + 3) << "the loop waits"; });
  for (TestWorker& channel : minted) channel.Ask(ConnectTo(kDenied));
}

TEST_F(SessionTurnsTest, WhoWaitsForATurnMayGo) {
  TestWorker flood = AddGreetedWorker();
  std::vector<TestWorker> minted = Mint(&flood, 8);
  TestWorker other = AddGreetedWorker();
  Do([&] {
    for (TestWorker& channel : minted) SendMany(&channel);
    for (TestWorker& channel : minted) channel.Close();
  });
  EXPECT_TRUE(AwaitChannels(2));
  EXPECT_EQ(other.Ask(ConnectTo(kDenied)).result().outcome, Outcome::kDenied);
}

TEST_F(SessionTurnsTest, GarbageAmongWhatWaitsEndsTheChannelAlone) {
  TestWorker flood = AddGreetedWorker();
  std::vector<TestWorker> minted = Mint(&flood, 3);
  Do([&] {
    SendMany(&flood, 2);
    flood.SendBytes({1, 2, 3});
    SendMany(&flood, 2);
    for (TestWorker& channel : minted) SendMany(&channel, 2);
  });
  for (TestWorker& channel : minted) ReceiveMany(&channel, 2);
  ReceiveMany(&flood, 2);
  EXPECT_TRUE(flood.Closed());
  EXPECT_TRUE(AwaitChannels(3));
  EXPECT_EQ(Decided().size(), 8U);
}

// One that does not read is not read from, whatever it has sent.
TEST_F(SessionTurnsTest, WhoDoesNotReadHasNoTurns) {
  TestWorker flood = AddGreetedWorker();
  std::vector<TestWorker> minted = Mint(&flood, 3);
  SendMany(&flood, 200);
  for (TestWorker& channel : minted) SendMany(&channel, 200);
  TestWorker other = AddGreetedWorker();
  EXPECT_EQ(other.Ask(ConnectTo(kDenied)).result().outcome, Outcome::kDenied);
  uint64_t before = 0;
  Do([&] { before = thread.loop()->wakeups(); });
  EXPECT_TRUE(other.Quiet());
  Do([&] { EXPECT_LE(thread.loop()->wakeups(), before + 20) << "the loop waits"; });
  ReceiveMany(&flood, 200);
  for (TestWorker& channel : minted) ReceiveMany(&channel, 200);
}

}  // namespace
}  // namespace sockgate
