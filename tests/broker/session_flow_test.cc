// Workers that do not read, or read late, and descriptors that cannot travel yet.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "broker/session.h"
#include "proto/packet_socket.h"
#include "tests/broker/server_world.h"
#include "tests/support/process_stats.h"

namespace sockgate {
namespace {

using testing::Answer;
using testing::ConnectTo;
using testing::Encoded;
using testing::ServerWorld;
using testing::TestWorker;

constexpr ConnectMode kInProgress = ConnectMode::kInProgress;

class SessionFlowTest : public ::testing::Test, protected ServerWorld {
 protected:
  // Sends what is denied until the channel takes no more, and returns how many that was. From the
  // id after `last_id` on.
  uint32_t Flood(TestWorker* worker, uint32_t last_id) {
    uint32_t sent = 0;
    for (int idle = 0; idle < 20;) {
      const int error = worker->SendBytes(Encoded(last_id + sent + 1, ConnectTo("192.0.2.66")));
      if (error == 0) {
        ++sent;
        idle = 0;
      } else {
        EXPECT_EQ(error, EAGAIN);
        ++idle;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
    return sent;
  }
};

TEST_F(SessionFlowTest, AWorkerThatNeverReadsIsNotReadFrom) {
  TestWorker deaf = AddGreetedWorker();
  const uint32_t sent = Flood(&deaf, 1);
  const size_t decided = Audit("decision").size();
  EXPECT_LT(decided, sent);
  EXPECT_LT(decided, 200U) << "some ten replies fit into the kernel";
  // Everybody else is served meanwhile.
  TestWorker other = AddGreetedWorker();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(other.Ask(ConnectTo("192.0.2.66")).result().outcome, Outcome::kDenied);
  }
  EXPECT_EQ(Audit("decision").size(), decided + 100);
}

TEST_F(SessionFlowTest, AWorkerThatReadsAgainMissesNothing) {
  TestWorker late = AddGreetedWorker();
  const uint32_t sent = Flood(&late, 1);
  for (uint32_t id = 2; id < 2 + sent; ++id) ASSERT_EQ(late.Receive().reply.id, id);
  EXPECT_TRUE(late.Quiet());
  EXPECT_EQ(Audit("decision").size(), sent);
}

TEST_F(SessionFlowTest, RepliesWithDescriptorsWaitAndArriveWhole) {
  TestWorker late = AddGreetedWorker();
  std::set<uint32_t> asked;
  for (int i = 0; i < 250; ++i) asked.insert(late.Send(ConnectTo()));
  ASSERT_TRUE(AwaitLines(250));
  Do([&] {
    for (size_t i = 0; i < 250; ++i) net.Finish(i);
  });
  ASSERT_TRUE(Until([&] { return net.line(249).connects == 3; }));
  std::vector<UniqueFd> held;
  while (!asked.empty()) {
    Answer answer = late.Receive();
    ASSERT_EQ(answer.result().outcome, Outcome::kConnected);
    ASSERT_EQ(asked.erase(answer.reply.id), 1U);
    EXPECT_EQ(testing::OpenObject::Of(answer.descriptor.get()).inode,
              net.line(answer.reply.id - 2).near_side.inode);
    held.push_back(std::move(answer.descriptor));
  }
  for (size_t i = 0; i < 250; ++i) EXPECT_EQ(net.Holders(i), 1U) << i;
  EXPECT_EQ(late.Ask(ConnectTo("192.0.2.66")).result().outcome, Outcome::kDenied);
}

TEST_F(SessionFlowTest, AWorkerThatGoesWithoutReadingLeavesNothing) {
  const size_t before = *testing::OpenFdCount(getpid());
  TestWorker deaf = AddGreetedWorker();
  for (int i = 0; i < 200; ++i) deaf.Send(ConnectTo());
  for (int i = 0; i < 56; ++i) deaf.Send(ConnectTo("192.0.2.1", 443, kInProgress));
  ASSERT_TRUE(AwaitLines(200));
  Do([&] {
    for (size_t i = 0; i < 150; ++i) net.Finish(i);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  deaf.Close();
  ASSERT_TRUE(AwaitChannels(0));
  Do([&] {
    for (size_t i = 0; i < net.lines(); ++i) EXPECT_EQ(net.Holders(i), 0U) << i;
  });
  EXPECT_EQ(*testing::OpenFdCount(getpid()), before + net.lines()) << "the test's far sides";
  EXPECT_EQ(Audit("decision").size(), Audit("completion").size());
}

// In a child, since it gives up being root, whom the kernel does not limit.
int WithTooManyInFlight() {
  const rlimit few = {64, 64};
  if (setrlimit(RLIMIT_NOFILE, &few) != 0) return 10;
  // A user of nobody else's. Within a user namespace that has no other, root counts as anyone.
  const int not_root = setresuid(61234, 61234, 61234);
  static_cast<void>(not_root);
  ServerWorld world;
  TestWorker worker = world.AddGreetedWorker();
  auto hoard = MakeChannelPair();
  const uint8_t byte = 0;
  Sent sent;
  for (int i = 0; i < 1000; ++i) {
    sent = SendPacket(hoard->broker.get(), {&byte, 1}, hoard->broker.get(), Wait::kNo);
    if (sent.status != PacketStatus::kOk) break;
  }
  if (sent.status != PacketStatus::kInFlight) return 77;
  world.Do([&] { world.net.NextAnswers({EINPROGRESS, 0}); });
  worker.Send(ConnectTo());
  worker.Send(ConnectTo("192.0.2.66"));
  if (!worker.Quiet()) return 11;
  hoard.reset();
  if (worker.Receive().result().outcome != Outcome::kConnected) return 12;
  if (worker.Receive().result().outcome != Outcome::kDenied) return 13;
  if (worker.Ask(ConnectTo("192.0.2.66")).result().outcome != Outcome::kDenied) return 14;
  return ::testing::Test::HasFailure() ? 15 : 0;
}

TEST(SessionInFlightTest, AReplyWaitsUntilItsDescriptorMayTravel) {
  const pid_t child = fork();
  if (child == 0) _exit(WithTooManyInFlight());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "the kernel does not limit this user";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace sockgate
