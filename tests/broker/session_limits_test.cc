// What a worker is told when it is over a limit, and what frees its place.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "broker/session.h"
#include "tests/broker/server_world.h"

namespace sockgate {
namespace {

using testing::Answer;
using testing::ConnectTo;
using testing::ExpectLimited;
using testing::ServerWorld;
using testing::TestWorker;

constexpr ConnectMode kInProgress = ConnectMode::kInProgress;

class SessionLimitsTest : public ::testing::Test, protected ServerWorld {};

TEST_F(SessionLimitsTest, RequestsThatWaitForAReply) {
  role.limits.max_outstanding = 3;
  TestWorker worker = AddGreetedWorker();
  for (int i = 0; i < 3; ++i) worker.Send(ConnectTo());
  ExpectLimited(worker.Ask(ConnectTo()).result(), Reason::kOutstanding);
  EXPECT_EQ(net.lines(), 3U);
  EXPECT_EQ(Audit("completion").at(0).at("reason"), "too-many-outstanding");
  Do([&] { net.Finish(1); });
  EXPECT_EQ(worker.Receive().reply.id, 3U);
  worker.Send(ConnectTo());
  EXPECT_TRUE(AwaitLines(4)) << "there is room for one again";
}

// In in-progress mode the reply comes at once, so only the handshakes count.
TEST_F(SessionLimitsTest, HandshakesThatAreNotFinished) {
  role.limits.max_outstanding = 1;
  role.limits.max_pending = 3;
  TestWorker worker = AddGreetedWorker();
  for (int i = 0; i < 3; ++i) worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  ExpectLimited(worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress)).result(), Reason::kPending);
  Do([&] { net.Finish(0); });
  ASSERT_TRUE(Until([&] { return net.line(0).connects == 2; }));
  EXPECT_EQ(worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress)).result().outcome,
            Outcome::kStarted);
}

TEST_F(SessionLimitsTest, SocketsInRepliesThatNobodyReads) {
  role.limits.max_pending = 5;
  Do([&] { net.UsualAnswers({0}); });
  TestWorker worker = AddGreetedWorker();
  // Some fit into the kernel; five more wait in the broker.
  for (int i = 0; i < 40; ++i) worker.Send(ConnectTo());
  TestWorker second = AddGreetedWorker();
  EXPECT_EQ(second.Ask(ConnectTo()).result().outcome, Outcome::kConnected)
      << "its limits are its own";
  Do([&] { EXPECT_LT(net.lines(), 25U); });
}

TEST_F(SessionLimitsTest, RepliesThatStayUnreadCostTheChannel) {
  role.limits.unread_patience_ms = 50;
  TestWorker worker = AddGreetedWorker();
  for (int i = 0; i < 40; ++i) worker.Send(ConnectTo("192.0.2.66"));
  EXPECT_TRUE(AwaitChannels(0));
  EXPECT_EQ(AuditDetail("violation"), "unread replies");
}

TEST_F(SessionLimitsTest, AWorkerThatReadsSlowlyKeepsItsChannel) {
  role.limits.unread_patience_ms = 600;
  TestWorker worker = AddGreetedWorker();
  for (int i = 0; i < 20; ++i) worker.Send(ConnectTo("192.0.2.66"));
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    EXPECT_EQ(worker.Receive().result().outcome, Outcome::kDenied);
  }
  EXPECT_EQ(worker.Ask(ConnectTo("192.0.2.66")).result().outcome, Outcome::kDenied);
}

TEST_F(SessionLimitsTest, HandshakesOfAllChannelsOfAWorkerTogether) {
  role.limits.max_pending = 2;
  TestWorker first = AddGreetedWorker();
  TestWorker second(first.Ask(OpenChannelRequest()).descriptor);
  first.Send(ConnectTo());
  ASSERT_TRUE(AwaitLines(1));
  second.Send(ConnectTo());
  ASSERT_TRUE(AwaitLines(2));
  ExpectLimited(first.Ask(ConnectTo()).result(), Reason::kPending);
  ExpectLimited(second.Ask(ConnectTo()).result(), Reason::kPending);
}

TEST_F(SessionLimitsTest, OneWorkerTakesNothingFromAnother) {
  role.limits.max_pending = 1;
  TestWorker greedy = AddGreetedWorker();
  greedy.Send(ConnectTo());
  ExpectLimited(greedy.Ask(ConnectTo()).result(), Reason::kPending);
  TestWorker other = AddGreetedWorker();
  net.NextAnswers({EINPROGRESS, 0});
  EXPECT_EQ(other.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
}

TEST_F(SessionLimitsTest, Channels) {
  role.limits.max_channels = 3;
  TestWorker worker = AddGreetedWorker();
  TestWorker second(worker.Ask(OpenChannelRequest()).descriptor);
  TestWorker third(second.Ask(OpenChannelRequest()).descriptor);
  ExpectLimited(worker.Ask(OpenChannelRequest()).result(), Reason::kChannels);
  ExpectLimited(third.Ask(OpenChannelRequest()).result(), Reason::kChannels);
  second.Close();
  ASSERT_TRUE(AwaitChannels(2));
  EXPECT_EQ(worker.Ask(OpenChannelRequest()).result().outcome, Outcome::kOpened);
}

// A log that nobody reads, on a pipe that the test may read after all.
class AuditFullTest : public ::testing::Test {
 protected:
  AuditFullTest() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader_.Reset(ends[0]);
    world_ = std::make_unique<ServerWorld>(UniqueFd(ends[1]));
  }

  // Asks for what is denied until the log is full.
  void FillLog(TestWorker* worker) {
    Outcome outcome;
    int asked = 0;
    do {
      outcome = worker->Ask(ConnectTo("192.0.2.66")).result().outcome;
    } while (outcome == Outcome::kDenied && ++asked < 20'000);
    EXPECT_EQ(outcome, Outcome::kLimited);
  }

  // Reads until nothing more comes for a while.
  std::string ReadLog() {
    fcntl(reader_.get(), F_SETFL, O_NONBLOCK);
    std::string text;
    std::array<char, 65536> block;
    for (int idle = 0; idle < 20; ++idle) {
      ssize_t size;
      while ((size = read(reader_.get(), block.data(), block.size())) > 0) {
        text.append(block.data(), static_cast<size_t>(size));
        idle = 0;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return text;
  }

  UniqueFd reader_;
  std::unique_ptr<ServerWorld> world_;
};

TEST_F(AuditFullTest, NothingIsDecidedThatCannotBeLogged) {
  TestWorker worker = world_->AddGreetedWorker();
  FillLog(&worker);
  ExpectLimited(worker.Ask(ConnectTo()).result(), Reason::kAuditLog);
  ExpectLimited(worker.Ask(ConnectTo("192.0.2.1", 0)).result(), Reason::kAuditLog);
  EXPECT_EQ(world_->net.lines(), 0U);
  const std::string text = ReadLog();
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(worker.Ask(ConnectTo("192.0.2.66")).result().outcome, Outcome::kDenied);
}

// Its own refusals, and channels that it opens and closes, must not make the log grow for ever.
TEST_F(AuditFullTest, AWorkerThatGoesOnAskingCostsNoMemory) {
  TestWorker worker = world_->AddGreetedWorker();
  FillLog(&worker);
  for (int i = 0; i < 5000; ++i) worker.Ask(ConnectTo());
  for (int i = 0; i < 500; ++i) {
    TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
    minted.SendBytes({0xff});
    ASSERT_TRUE(minted.Closed());
  }
  const std::string text = ReadLog();
  EXPECT_LT(text.size(), 1'200'000U);
  // What is not in the log is at least counted there.
  std::vector<nlohmann::json> lost;
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto line = nlohmann::json::parse(text.substr(begin, end - begin));
    if (line.at("event") == "lost") lost.push_back(line);
  }
  size_t lines = 0;
  for (const auto& line : lost) lines += line.at("lines").get<size_t>();
  EXPECT_EQ(lines, 1 + 5000 + 2 * 500U);
}

}  // namespace
}  // namespace sockgate
