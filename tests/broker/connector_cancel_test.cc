// How attempts end that nobody waits for any more.

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "broker/connector.h"
#include "tests/broker/connector_world.h"

namespace sockgate {
namespace {

using testing::ConnectorWorld;

constexpr ConnectMode kConnected = ConnectMode::kConnected;
constexpr ConnectMode kInProgress = ConnectMode::kInProgress;

class ConnectorCancelTest : public ::testing::Test, protected ConnectorWorld {
 protected:
  void StartOn(uint64_t channel, ConnectMode mode, uint32_t request_id) {
    Attempt attempt = MakeAttempt(mode, request_id);
    attempt.channel = channel;
    ASSERT_EQ(Start(attempt).progress, Progress::kPending);
  }

  std::set<uint32_t> EndedRequests() const {
    std::set<uint32_t> requests;
    for (const Ending& end : ends) {
      EXPECT_EQ(end.progress, Progress::kFailed);
      EXPECT_EQ(end.error, ECANCELED);
      EXPECT_FALSE(end.socket.valid());
      EXPECT_TRUE(requests.insert(end.attempt.request_id).second) << "told twice";
    }
    return requests;
  }
};

TEST_F(ConnectorCancelTest, AWorkersAttemptsAllEnd) {
  StartOn(1, kConnected, 1);
  StartOn(1, kInProgress, 2);
  StartOn(2, kConnected, 3);
  StartOn(2, kInProgress, 4);
  thread.Do([&] { connector->CancelWorker(&worker); });
  EXPECT_EQ(EndedRequests(), std::set<uint32_t>({1, 2, 3, 4}));
  EXPECT_EQ(worker.pending, 0U);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(net.Holders(i), 0U);
}

// A worker that closes its channels may be alive and hold the sockets: their handshakes must not
// end well when nobody is left to finalise them.
TEST_F(ConnectorCancelTest, WhatTheWorkerHoldsIsGivenUp) {
  StartOn(1, kInProgress, 1);
  thread.Do([&] { connector->CancelWorker(&worker); });
  EXPECT_EQ(net.line(0).give_ups, 1);
}

TEST_F(ConnectorCancelTest, AnotherWorkersAttemptsGoOn) {
  WorkerRecord other;
  Attempt attempt = MakeAttempt(kConnected, 1);
  attempt.worker = &other;
  ASSERT_EQ(Start(attempt).progress, Progress::kPending);
  StartOn(1, kConnected, 2);
  thread.Do([&] { connector->CancelWorker(&worker); });
  EXPECT_EQ(EndedRequests(), std::set<uint32_t>({2}));
  EXPECT_EQ(other.pending, 1U);
}

// Only those that would be answered on the channel: an in-progress one has been answered already.
TEST_F(ConnectorCancelTest, AChannelsWaitingAttemptsEnd) {
  StartOn(1, kConnected, 1);
  StartOn(2, kConnected, 2);
  StartOn(1, kInProgress, 3);
  StartOn(1, kConnected, 4);
  StartOn(1, kConnected, 5);
  thread.Do([&] { connector->CancelChannel(&worker, 1); });
  EXPECT_EQ(EndedRequests(), std::set<uint32_t>({1, 4, 5}));
  EXPECT_EQ(worker.pending, 2U);
  EXPECT_EQ(net.line(2).give_ups, 0);
}

TEST_F(ConnectorCancelTest, ThoseInTheMiddleLeaveTheListWhole) {
  for (uint32_t i = 1; i <= 5; ++i) StartOn(i, kConnected, i);
  for (const uint64_t channel : {3U, 1U, 5U}) {
    thread.Do([&] { connector->CancelChannel(&worker, channel); });
  }
  EXPECT_EQ(EndedRequests(), std::set<uint32_t>({1, 3, 5}));
  StartOn(6, kConnected, 6);
  thread.Do([&] { connector->CancelWorker(&worker); });
  EXPECT_EQ(EndedRequests(), std::set<uint32_t>({1, 2, 3, 4, 5, 6}));
}

TEST_F(ConnectorCancelTest, TheObserverMayCancelTheOthers) {
  for (uint32_t i = 1; i <= 4; ++i) StartOn(1, kConnected, i);
  on_end = [&](const Attempt&) { connector->CancelWorker(&worker); };
  thread.Do([&] { connector->CancelChannel(&worker, 1); });
  EXPECT_EQ(EndedRequests(), std::set<uint32_t>({1, 2, 3, 4}));
  EXPECT_EQ(worker.pending, 0U);
}

// By which the table grows, under the feet of whoever still looks into it.
TEST_F(ConnectorCancelTest, TheObserverMayStartManyMore) {
  StartOn(1, kConnected, 1);
  on_end = [&](const Attempt& ended) {
    if (ended.request_id != 1) return;
    for (uint32_t i = 2; i <= 100; ++i) connector->Start(MakeAttempt(kConnected, i), options);
  };
  thread.Do([&] { net.Break(0, ECONNREFUSED); });
  ASSERT_TRUE(AwaitEnds(1));
  EXPECT_EQ(ends[0].attempt.request_id, 1U);
  EXPECT_EQ(ends[0].error, ECONNREFUSED);
  EXPECT_EQ(worker.pending, 99U);
}

TEST_F(ConnectorCancelTest, ThePlaceOfOneThatEndedGoesToTheNext) {
  for (uint32_t i = 1; i <= 1000; ++i) {
    StartOn(1, i % 2 == 0 ? kConnected : kInProgress, i);
    thread.Do([&] { connector->CancelWorker(&worker); });
  }
  EXPECT_EQ(EndedRequests().size(), 1000U);
}

TEST_F(ConnectorCancelTest, TheConnectorsEndTellsNobodyAndClosesAll) {
  StartOn(1, kConnected, 1);
  StartOn(1, kInProgress, 2);
  thread.Do([&] { connector.reset(); });
  EXPECT_TRUE(ends.empty());
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(net.Holders(i), 0U);
}

}  // namespace
}  // namespace sockgate
