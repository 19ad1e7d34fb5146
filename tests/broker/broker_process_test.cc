#include "broker/broker_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <string>
#include <thread>

#include "proto/packet_socket.h"
#include "tests/broker/test_worker.h"
#include "tests/support/loopback_tcp.h"

namespace sockgate {
namespace {

using testing::ConnectTo;
using testing::TestWorker;

BrokerOptions Options(UniqueFd audit = UniqueFd()) {
  Role role;
  role.name = "fetch";
  role.policy = Policy({*Rule::Parse(Decision::kAllow, "127.0.0.0/8:*")});
  BrokerOptions options;
  options.roles.push_back(role);
  options.audit = std::move(audit);
  return options;
}

// What the descriptors of the process above standard error are, without their numbers: "socket",
// "anon_inode", "/memfd", and how many of each.
std::map<std::string, int> Descriptors(pid_t pid) {
  std::map<std::string, int> kinds;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
    if (std::stoi(entry.path().filename()) <= STDERR_FILENO) continue;
    const std::string target = std::filesystem::read_symlink(entry.path(), error);
    // Of itself, for its status.
    if (target.substr(target.rfind('/') + 1) == "statm") continue;
    ++kinds[target.substr(0, target.find(':'))];
  }
  return kinds;
}

// A broker is not dumpable, so its own user may not look.
bool MayLook() { return geteuid() == 0; }

bool AwaitDescriptors(pid_t pid, const std::map<std::string, int>& expected) {
  for (int i = 0; i < 500 && Descriptors(pid) != expected; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(Descriptors(pid), expected);
  return true;
}

TEST(BrokerProcessTest, ServesAWorker) {
  const auto listener = testing::SilentListener::Listen();
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto broker = BrokerProcess::Start(Options());
  ASSERT_TRUE(broker.ok()) << broker.status();
  EXPECT_NE(broker->pid(), getpid());
  TestWorker worker(*broker->AddWorker("fetch"));
  worker.Greet();
  EXPECT_EQ(worker.Ask(ConnectTo("127.0.0.1", listener->port())).result().outcome,
            Outcome::kConnected);
}

// The control socket; epoll and its eventfd; the log. Of the launcher's, some of them inheritable,
// nothing.
TEST(BrokerProcessTest, TheChildHasOnlyWhatItNeeds) {
  if (!MayLook()) GTEST_SKIP() << "only root may look into a process that is not dumpable";
  const UniqueFd inheritable(open("/dev/null", O_RDONLY));
  const UniqueFd high(fcntl(inheritable.get(), F_DUPFD, 500));
  auto others_channel = MakeChannelPair();
  auto broker = BrokerProcess::Start(Options(UniqueFd(memfd_create("audit", 0))));
  ASSERT_TRUE(broker.ok()) << broker.status();
  AwaitDescriptors(broker->pid(), {{"socket", 1}, {"anon_inode", 3}, {"/memfd", 1}});
  TestWorker worker(*broker->AddWorker("fetch"));
  worker.Greet();
  AwaitDescriptors(broker->pid(), {{"socket", 2}, {"anon_inode", 3}, {"/memfd", 1}});
  worker.Close();
  AwaitDescriptors(broker->pid(), {{"socket", 1}, {"anon_inode", 3}, {"/memfd", 1}});
}

TEST(BrokerProcessTest, TheChildHasOnlyWhatItNeedsWithoutALog) {
  if (!MayLook()) GTEST_SKIP() << "only root may look into a process that is not dumpable";
  const UniqueFd inheritable(open("/dev/null", O_RDONLY));
  auto broker = BrokerProcess::Start(Options());
  ASSERT_TRUE(broker.ok()) << broker.status();
  AwaitDescriptors(broker->pid(), {{"socket", 1}, {"anon_inode", 3}});
}

TEST(BrokerProcessTest, StopEndsTheChildAndItsChannelsButNotTheWorkersSockets) {
  const auto listener = testing::SilentListener::Listen();
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto broker = BrokerProcess::Start(Options());
  ASSERT_TRUE(broker.ok()) << broker.status();
  TestWorker worker(*broker->AddWorker("fetch"));
  worker.Greet();
  const testing::Answer answer = worker.Ask(ConnectTo("127.0.0.1", listener->port()));
  const pid_t pid = broker->pid();
  broker->Stop();
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
  EXPECT_TRUE(worker.Closed());
  EXPECT_EQ(write(answer.descriptor.get(), "x", 1), 1);
  EXPECT_FALSE(broker->AddWorker("fetch").ok());
  broker->Stop();
}

// A launcher that handles signals with signalfd(2) has them blocked, and children inherit that.
TEST(BrokerProcessTest, StopWorksWhereTheLauncherBlocksTheSignal) {
  sigset_t set;
  sigset_t before;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  ASSERT_EQ(sigprocmask(SIG_BLOCK, &set, &before), 0);
  auto broker = BrokerProcess::Start(Options());
  ASSERT_TRUE(broker.ok()) << broker.status();
  TestWorker worker(*broker->AddWorker("fetch"));
  worker.Greet();
  alarm(20);
  broker->Stop();
  alarm(0);
  sigset_t now;
  ASSERT_EQ(sigprocmask(SIG_SETMASK, &before, &now), 0);
  EXPECT_TRUE(sigismember(&now, SIGTERM)) << "the launcher's mask is its own";
}

// Its own handler must not run in the child, which would then have missed the signal.
TEST(BrokerProcessTest, StopWorksAtOnceWhereTheLauncherHandlesTheSignal) {
  const auto before = signal(SIGTERM, [](int) {});
  alarm(20);
  for (int i = 0; i < 50; ++i) {
    auto broker = BrokerProcess::Start(Options());
    ASSERT_TRUE(broker.ok()) << broker.status();
    const TestWorker worker(*broker->AddWorker("fetch"));
    broker->Stop();
  }
  alarm(0);
  signal(SIGTERM, before);
}

TEST(BrokerProcessTest, IgnoresTheTerminalsInterrupt) {
  auto broker = BrokerProcess::Start(Options());
  ASSERT_TRUE(broker.ok()) << broker.status();
  TestWorker worker(*broker->AddWorker("fetch"));
  worker.Greet();
  ASSERT_EQ(kill(broker->pid(), SIGINT), 0);
  EXPECT_EQ(worker.Ask(ConnectTo("192.0.2.1")).result().outcome, Outcome::kDenied);
}

TEST(BrokerProcessTest, ARoleThatTheBrokerDoesNotKnow) {
  auto broker = BrokerProcess::Start(Options());
  ASSERT_TRUE(broker.ok()) << broker.status();
  TestWorker worker(*broker->AddWorker("nobody"));
  EXPECT_TRUE(worker.Closed());
  TestWorker nameless(*broker->AddWorker(""));
  EXPECT_TRUE(nameless.Closed());
}

TEST(BrokerProcessTest, AChildThatWasKilledIsAnError) {
  auto broker = BrokerProcess::Start(Options());
  ASSERT_TRUE(broker.ok()) << broker.status();
  TestWorker worker(*broker->AddWorker("fetch"));
  worker.Greet();
  ASSERT_EQ(kill(broker->pid(), SIGKILL), 0);
  EXPECT_TRUE(worker.Closed());
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(broker->pid()), &info, WEXITED | WNOWAIT), 0);
  const auto refused = broker->AddWorker("fetch");
  EXPECT_TRUE(absl::IsUnavailable(refused.status())) << refused.status();
}

TEST(BrokerProcessTest, RolesThatMakeNoSenseEndTheChild) {
  auto broker = BrokerProcess::Start(BrokerOptions());
  ASSERT_TRUE(broker.ok()) << broker.status();
  int status = 0;
  ASSERT_EQ(waitpid(broker->pid(), &status, 0), broker->pid());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
}

TEST(BrokerProcessTest, MovingHandsTheChildOver) {
  auto first = BrokerProcess::Start(Options());
  auto second = BrokerProcess::Start(Options());
  ASSERT_TRUE(first.ok() && second.ok());
  const pid_t ended = first->pid();
  const pid_t kept = second->pid();
  *first = *std::move(second);
  EXPECT_EQ(kill(ended, 0), -1);
  EXPECT_EQ(first->pid(), kept);
  TestWorker worker(*first->AddWorker("fetch"));
  worker.Greet();
}

// A launcher that starts a broker and a worker, gives the worker's end away, and dies.
[[noreturn]] void LaunchAndDie(int to) {
  auto broker = BrokerProcess::Start(Options());
  if (!broker.ok()) _exit(1);
  auto channel = broker->AddWorker("fetch");
  if (!channel.ok()) _exit(2);
  const pid_t pid = broker->pid();
  const auto* bytes = reinterpret_cast<const uint8_t*>(&pid);
  SendPacket(to, {bytes, sizeof(pid)}, channel->get(), Wait::kYes);
  _exit(0);
}

TEST(BrokerProcessTest, OutlivesItsLauncherUntilItsWorkersAreDone) {
  // Orphans become children of this process, so that it hears of the broker's end.
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  auto pair = MakeChannelPair();
  const pid_t launcher = fork();
  if (launcher == 0) LaunchAndDie(pair->broker.get());
  int status = -1;
  ASSERT_EQ(waitpid(launcher, &status, 0), launcher);
  ASSERT_EQ(status, 0);
  pid_t broker = -1;
  Received received =
      ReceivePacket(pair->worker.get(), {reinterpret_cast<uint8_t*>(&broker), sizeof(broker)},
                    Accept::kOneDescriptor, Wait::kNo);
  ASSERT_EQ(received.status, PacketStatus::kOk);

  TestWorker worker(std::move(received.fd));
  worker.Greet();
  EXPECT_EQ(worker.Ask(ConnectTo("192.0.2.1")).result().outcome, Outcome::kDenied);
  EXPECT_EQ(waitpid(broker, &status, WNOHANG), 0);
  worker.Close();
  alarm(20);
  ASSERT_EQ(waitpid(broker, &status, 0), broker);
  alarm(0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace sockgate
