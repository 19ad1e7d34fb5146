#include "broker/broker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "proto/packet_socket.h"
#include "tests/broker/temp_folder.h"
#include "tests/broker/test_worker.h"
#include "tests/support/loopback_tcp.h"

namespace sockgate {
namespace {

using testing::ConnectTo;
using testing::TestWorker;

Role RoleNamed(const std::string& name) {
  Role role;
  role.name = name;
  role.policy = Policy({*Rule::Parse(Decision::kAllow, "127.0.0.0/8:*")});
  return role;
}

BrokerOptions OptionsWith(std::vector<Role> roles) {
  BrokerOptions options;
  options.roles = std::move(roles);
  return options;
}

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader.Reset(ends[0]);
    writer.Reset(ends[1]);
  }
  bool Readable() const {
    pollfd entry = {reader.get(), POLLIN, 0};
    return poll(&entry, 1, 5000) == 1;
  }
  UniqueFd reader;
  UniqueFd writer;
};

TEST(BrokerCreateTest, RefusesRolesThatMakeNoSense) {
  Role none_outstanding = RoleNamed("a");
  none_outstanding.limits.max_outstanding = 0;
  Role too_many_outstanding = RoleNamed("a");
  too_many_outstanding.limits.max_outstanding = kMaxOutstanding + 1;
  const struct {
    std::vector<Role> roles;
    const char* message;
  } cases[] = {
      {{}, "a broker needs a role"},
      {{RoleNamed("")}, "a role needs a name of 1 to 1024 bytes"},
      {{RoleNamed(std::string(1025, 'x'))}, "a role needs a name of 1 to 1024 bytes"},
      {{RoleNamed("a"), RoleNamed("b"), RoleNamed("a")}, "two roles are named a"},
      {{none_outstanding}, "role a: max_outstanding must be 1 to 1024"},
      {{too_many_outstanding}, "role a: max_outstanding must be 1 to 1024"},
  };
  for (const auto& one : cases) {
    const auto broker = Broker::Create(OptionsWith(one.roles));
    EXPECT_TRUE(absl::IsInvalidArgument(broker.status()));
    EXPECT_EQ(broker.status().message(), one.message);
  }
}

class BrokerTest : public ::testing::Test {
 protected:
  void Make(UniqueFd audit = UniqueFd()) {
    BrokerOptions options = OptionsWith({RoleNamed("fetch"), RoleNamed("other")});
    options.audit = std::move(audit);
    broker_ = *Broker::Create(std::move(options));
  }
  void Run() {
    thread_ = std::thread([this] { broker_->Run(); });
  }
  void Join() {
    if (thread_.joinable()) thread_.join();
  }
  void StopAndJoin() {
    broker_->Stop();
    Join();
  }
  ~BrokerTest() override {
    if (broker_ != nullptr) StopAndJoin();
  }
  TestWorker AddWorker() { return TestWorker(*broker_->AddWorker("fetch")); }

  std::unique_ptr<Broker> broker_;
  std::thread thread_;
};

TEST_F(BrokerTest, AWorkerGetsAConnectedSocket) {
  const auto listener = testing::SilentListener::Listen();
  ASSERT_TRUE(listener.ok()) << listener.status();
  Make();
  Run();
  TestWorker worker = AddWorker();
  worker.Greet();
  const testing::Answer answer = worker.Ask(ConnectTo("127.0.0.1", listener->port()));
  ASSERT_EQ(answer.result().outcome, Outcome::kConnected);
  ASSERT_EQ(write(answer.descriptor.get(), "x", 1), 1);
  const auto accepted = listener->Accept(std::chrono::seconds(5));
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  char byte = 0;
  EXPECT_EQ(read(accepted->get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
}

TEST_F(BrokerTest, WorkersAddedByManyThreadsWhileItRuns) {
  Make();
  Run();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int j = 0; j < 50; ++j) {
        TestWorker worker = AddWorker();
        worker.Greet();
        EXPECT_EQ(worker.Ask(ConnectTo("192.0.2.1")).result().outcome, Outcome::kDenied);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(BrokerTest, AWorkerAddedBeforeItRunsIsServedWhenItDoes) {
  Make();
  TestWorker worker = AddWorker();
  worker.Send(Hello());
  EXPECT_TRUE(worker.Quiet());
  Run();
  EXPECT_EQ(worker.Receive().reply.id, 1U);
}

TEST_F(BrokerTest, StopBeforeRun) {
  Make();
  TestWorker worker = AddWorker();
  broker_->Stop();
  Run();
  Join();
  broker_.reset();
  EXPECT_TRUE(worker.Closed());
}

TEST_F(BrokerTest, ItsEndClosesItsChannels) {
  Make();
  Run();
  TestWorker worker = AddWorker();
  worker.Greet();
  worker.Send(ConnectTo("127.0.0.1", 1));
  StopAndJoin();
  broker_.reset();
  EXPECT_TRUE(worker.Closed());
}

TEST_F(BrokerTest, ARoleThatDoesNotExist) {
  const testing::TempFolder folder;
  Make();
  EXPECT_TRUE(absl::IsNotFound(broker_->AddWorker("fetcher").status()));
  EXPECT_TRUE(absl::IsNotFound(broker_->AddWorker("").status()));
  EXPECT_TRUE(absl::IsNotFound(broker_->Listen({folder / "broker", "fetcher"})));
  EXPECT_TRUE(broker_->Listen({folder / "broker", "other"}).ok());
  EXPECT_FALSE(broker_->Listen({folder / "broker", "fetch"}).ok());
}

// No request follows that would wake the loop up.
TEST_F(BrokerTest, LogsANewWorkerWithoutWaitingForTheNextEvent) {
  Pipe pipe;
  Make(std::move(pipe.writer));
  Run();
  const TestWorker silent = AddWorker();
  EXPECT_TRUE(pipe.Readable());
}

// The thread that destroys a broker need not be the one that ran it, with SIGPIPE blocked.
TEST_F(BrokerTest, MayBeDestroyedWhenTheLogsReaderHasGone) {
  const auto before = signal(SIGPIPE, SIG_DFL);
  Pipe pipe;
  Make(std::move(pipe.writer));
  Run();
  TestWorker worker = AddWorker();
  worker.Greet();
  pipe.reader.Reset();
  StopAndJoin();
  broker_.reset();
  signal(SIGPIPE, before);
}

class FollowLauncherTest : public BrokerTest {
 protected:
  FollowLauncherTest() {
    Make();
    auto pair = MakeChannelPair();
    launcher_ = std::move(pair->broker);
    EXPECT_TRUE(broker_->FollowLauncher(std::move(pair->worker)).ok());
    Run();
  }

  // Gives the broker a channel with this order, and returns the worker's end.
  TestWorker Order(const std::string& role) {
    auto pair = MakeChannelPair();
    const auto* bytes = reinterpret_cast<const uint8_t*>(role.data());
    EXPECT_EQ(
        SendPacket(launcher_.get(), {bytes, role.size()}, pair->broker.get(), Wait::kYes).status,
        PacketStatus::kOk);
    return TestWorker(std::move(pair->worker));
  }

  UniqueFd launcher_;
};

TEST_F(FollowLauncherTest, ServesWhatTheLauncherGives) {
  TestWorker worker = Order("other");
  worker.Greet();
}

TEST_F(FollowLauncherTest, AnOrderThatMakesNoSenseClosesItsChannelAndNothingElse) {
  for (const std::string& role :
       {std::string("nobody"), std::string(), std::string(5000, 'x'), std::string("fetch\0", 6)}) {
    EXPECT_TRUE(Order(role).Closed());
  }
  const uint8_t bare[] = {'f', 'e', 't', 'c', 'h'};
  EXPECT_EQ(SendPacket(launcher_.get(), bare, -1, Wait::kYes).status, PacketStatus::kOk);
  Order("fetch").Greet();
}

TEST_F(FollowLauncherTest, EndsWithTheLauncherWhenThereIsNobodyToServe) {
  launcher_.Reset();
  Join();
}

TEST_F(FollowLauncherTest, EndsWithItsLastWorkerWhenTheLauncherHasGone) {
  TestWorker worker = Order("fetch");
  // Still on its way when the launcher goes.
  TestWorker late = Order("fetch");
  launcher_.Reset();
  late.Greet();
  late.Close();
  worker.Greet();
  EXPECT_EQ(worker.Ask(ConnectTo("192.0.2.1")).result().outcome, Outcome::kDenied);
  worker.Close();
  Join();
}

}  // namespace
}  // namespace sockgate
