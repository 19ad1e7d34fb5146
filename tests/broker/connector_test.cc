#include "broker/connector.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/broker/connector_world.h"

namespace sockgate {
namespace {

using testing::ConnectorWorld;

constexpr ConnectMode kConnected = ConnectMode::kConnected;
constexpr ConnectMode kInProgress = ConnectMode::kInProgress;

class ConnectorTest : public ::testing::Test, protected ConnectorWorld {
 protected:
  // Nothing of line `i` is left with the broker, and nobody is told twice.
  void ExpectForgotten(size_t i) {
    thread.Do([&] {
      EXPECT_EQ(net.Holders(i), 0U);
      EXPECT_EQ(worker.pending, 0U);
      EXPECT_EQ(worker.first_pending, WorkerRecord::kNoAttempt);
    });
  }
};

class EitherModeTest : public ConnectorTest, public ::testing::WithParamInterface<ConnectMode> {};

INSTANTIATE_TEST_SUITE_P(Each, EitherModeTest, ::testing::ValuesIn(testing::kModes),
                         [](const auto& one) {
                           return one.param == kConnected ? "Connected" : "InProgress";
                         });

TEST_P(EitherModeTest, NoDescriptorLeftForASocket) {
  net.NextOpenFails(EMFILE);
  const Started started = Start(MakeAttempt(GetParam()));
  EXPECT_EQ(started.progress, Progress::kFailed);
  EXPECT_EQ(started.error, EMFILE);
  EXPECT_FALSE(started.socket.valid());
  EXPECT_EQ(net.lines(), 0U);
}

TEST_P(EitherModeTest, ConnectFailsAtOnce) {
  net.NextAnswers({ENETUNREACH});
  const Started started = Start(MakeAttempt(GetParam()));
  EXPECT_EQ(started.progress, Progress::kFailed);
  EXPECT_EQ(started.error, ENETUNREACH);
  EXPECT_FALSE(started.socket.valid());
  ExpectForgotten(0);
}

TEST_P(EitherModeTest, ConnectSucceedsAtOnce) {
  net.NextAnswers({0});
  Started started = Start(MakeAttempt(GetParam()));
  EXPECT_EQ(started.progress, Progress::kConnected);
  EXPECT_EQ(net.line(0).connects, 1);
  EXPECT_EQ(net.Holders(0), 1U);
  started.socket.Reset();
  ExpectForgotten(0);
}

TEST_P(EitherModeTest, EpollHasNoRoom) {
  net.NextCannotBeWatched();
  const Started started = Start(MakeAttempt(GetParam()));
  EXPECT_EQ(started.progress, Progress::kFailed);
  EXPECT_EQ(started.error, EPERM);
  EXPECT_EQ(started.lent, -1);
  ExpectForgotten(0);
  // The place in the table is free again.
  EXPECT_EQ(Start(MakeAttempt(GetParam())).progress, Progress::kPending);
}

TEST_P(EitherModeTest, ASpuriousEventEndsNothing) {
  Start(MakeAttempt(GetParam()));
  thread.Do([&] { net.MakeWritable(0); });
  EXPECT_TRUE(thread.Until([&] { return net.line(0).connects >= 2 || net.line(0).looks >= 2; }));
  thread.Do([&] { EXPECT_TRUE(ends.empty()); });
  thread.Do([&] { net.Finish(0); });
  EXPECT_TRUE(AwaitEnds(1));
}

TEST_P(EitherModeTest, TheDeadlineEndsIt) {
  Attempt attempt = MakeAttempt(GetParam());
  attempt.request.deadline_ms = 20;
  ASSERT_EQ(Start(attempt).progress, Progress::kPending);
  ASSERT_TRUE(AwaitEnds(1));
  EXPECT_GE(EventLoop::Now() - attempt.begun, std::chrono::milliseconds(20));
  EXPECT_EQ(ends[0].progress, Progress::kFailed);
  EXPECT_EQ(ends[0].error, ETIMEDOUT);
  EXPECT_FALSE(ends[0].socket.valid());
  // What nobody will finalise must not end well in the worker's hands.
  EXPECT_EQ(net.line(0).give_ups, GetParam() == kInProgress ? 1 : 0);
  ExpectForgotten(0);
}

TEST_P(EitherModeTest, NoDeadlineComesAfterTheEnd) {
  Attempt attempt = MakeAttempt(GetParam());
  attempt.request.deadline_ms = 300;
  Start(attempt);
  thread.Do([&] { net.Finish(0); });
  ASSERT_TRUE(AwaitEnds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  thread.Do([&] {
    EXPECT_EQ(ends.size(), 1U);
    EXPECT_EQ(ends[0].progress, Progress::kConnected);
    EXPECT_EQ(net.line(0).give_ups, 0);
  });
}

TEST_P(EitherModeTest, TellsTheObserverWhichAttemptItWas) {
  Attempt attempt = MakeAttempt(GetParam(), 77);
  attempt.rule = 3;
  Start(attempt);
  thread.Do([&] { net.Finish(0); });
  ASSERT_TRUE(AwaitEnds(1));
  EXPECT_EQ(ends[0].attempt.request_id, 77U);
  EXPECT_EQ(ends[0].attempt.rule, 3U);
  EXPECT_EQ(ends[0].attempt.worker, &worker);
}

TEST_F(ConnectorTest, ConnectedDoneByTheSecondLookCostsNoWait) {
  net.NextAnswers({EINPROGRESS, 0});
  const Started started = Start(MakeAttempt(kConnected));
  EXPECT_EQ(started.progress, Progress::kConnected);
  EXPECT_TRUE(started.socket.valid());
  EXPECT_EQ(net.line(0).connects, 2);
  EXPECT_EQ(worker.pending, 0U);
}

TEST_F(ConnectorTest, ConnectedRefusedByTheSecondLook) {
  net.NextAnswers({EINPROGRESS, ECONNREFUSED});
  const Started started = Start(MakeAttempt(kConnected));
  EXPECT_EQ(started.progress, Progress::kFailed);
  EXPECT_EQ(started.error, ECONNREFUSED);
  ExpectForgotten(0);
}

TEST_F(ConnectorTest, ConnectedHandsTheSocketOverWhenTheHandshakeIsDone) {
  const Started started = Start(MakeAttempt(kConnected));
  EXPECT_EQ(started.progress, Progress::kPending);
  EXPECT_EQ(started.lent, -1);
  thread.Do([&] {
    EXPECT_EQ(worker.pending, 1U);
    net.Finish(0);
  });
  ASSERT_TRUE(AwaitEnds(1));
  EXPECT_EQ(ends[0].progress, Progress::kConnected);
  EXPECT_EQ(net.Holders(0), 1U);
  ends[0].socket.Reset();
  ExpectForgotten(0);
}

TEST_F(ConnectorTest, ConnectedReportsTheExactErrorOfABrokenHandshake) {
  Start(MakeAttempt(kConnected));
  thread.Do([&] { net.Break(0, EHOSTUNREACH); });
  ASSERT_TRUE(AwaitEnds(1));
  EXPECT_EQ(ends[0].progress, Progress::kFailed);
  EXPECT_EQ(ends[0].error, EHOSTUNREACH);
  ExpectForgotten(0);
}

TEST_F(ConnectorTest, InProgressLendsTheSocketAtOnce) {
  const Started started = Start(MakeAttempt(kInProgress));
  EXPECT_EQ(started.progress, Progress::kPending);
  EXPECT_FALSE(started.socket.valid());
  EXPECT_GE(started.lent, 0);
  // Only the beginning; looking costs no connect().
  EXPECT_EQ(net.line(0).connects, 1);
}

TEST_F(ConnectorTest, InProgressFinalisesOnceAndKeepsNoDuplicate) {
  const Started started = Start(MakeAttempt(kInProgress));
  UniqueFd workers_own(dup(started.lent));
  thread.Do([&] { net.Finish(0); });
  ASSERT_TRUE(AwaitEnds(1));
  EXPECT_EQ(ends[0].progress, Progress::kConnected);
  EXPECT_FALSE(ends[0].socket.valid());
  EXPECT_EQ(net.line(0).connects, 2);
  EXPECT_EQ(net.Holders(0), 1U);
  workers_own.Reset();
  ExpectForgotten(0);
}

// The error must stay in the socket, where libcurl looks for it.
TEST_F(ConnectorTest, InProgressNeverConnectsAgainAfterAFailure) {
  Start(MakeAttempt(kInProgress));
  thread.Do([&] { net.Break(0, ECONNREFUSED); });
  ASSERT_TRUE(AwaitEnds(1));
  EXPECT_EQ(ends[0].progress, Progress::kFailed);
  EXPECT_EQ(ends[0].error, 0);
  EXPECT_EQ(net.line(0).connects, 1);
  EXPECT_EQ(net.line(0).give_ups, 0);
  ExpectForgotten(0);
}

// A worker may have used and closed the connection before the broker gets to look.
TEST_F(ConnectorTest, InProgressThatIsOverAlreadyWasConnectedAllTheSame) {
  Start(MakeAttempt(kInProgress));
  thread.Do([&] { net.FinishAndEnd(0); });
  ASSERT_TRUE(AwaitEnds(1));
  EXPECT_EQ(ends[0].progress, Progress::kConnected);
  EXPECT_EQ(net.line(0).connects, 1);
  ExpectForgotten(0);
}

TEST_F(ConnectorTest, InProgressDoneAtTheFirstLookIsFinalisedBeforeItIsGiven) {
  net.NextAnswers({EINPROGRESS, 0});
  net.NextLook(Handshake::kDone);
  const Started started = Start(MakeAttempt(kInProgress));
  EXPECT_EQ(started.progress, Progress::kConnected);
  EXPECT_TRUE(started.socket.valid());
  EXPECT_EQ(net.line(0).connects, 2);
  EXPECT_EQ(worker.pending, 0U);
}

TEST_F(ConnectorTest, InProgressFailedAtTheFirstLookGoesToTheWorkerWithItsError) {
  net.NextLook(Handshake::kFailed);
  const Started started = Start(MakeAttempt(kInProgress));
  EXPECT_EQ(started.progress, Progress::kFailed);
  EXPECT_EQ(started.error, 0);
  EXPECT_TRUE(started.socket.valid());
  EXPECT_EQ(net.line(0).connects, 1);
}

}  // namespace
}  // namespace sockgate
