// Workers in namespaces of their own, as another user, and with other standard streams. Where a
// host lets nobody have a namespace, the tests of it are skipped.

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "confine/capabilities.h"
#include "confine/seccomp_filter.h"
#include "tests/client/launch/forked.h"
#include "tests/client/launch/start_worker.h"

namespace sockgate::launch {
namespace {

// What is refused is not refused by the filter, nor by Landlock.
WorkerOptions Open() {
  WorkerOptions options;
  options.confinement.profile = Profile{"open", kAllow, {{"reboot", Errno(EPERM)}}};
  options.confinement.landlock = Need::kNo;
  return options;
}

ExitStatus EndOf(const WorkerOptions& options, const std::function<int()>& run) {
  const auto status = StartAndWait(options, Nothing, [&](int) { return run(); });
  EXPECT_TRUE(status.ok()) << status.status();
  return status.ok() ? *status : Exited(250);
}

constexpr int kAllNamespaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC;

class WorkerNamespacesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const ExitStatus host = RunForked([] {
      return unshare(kAllNamespaces) == 0 || unshare(kAllNamespaces | CLONE_NEWUSER) == 0 ? 0 : 1;
    });
    if (host != Exited(0)) GTEST_SKIP() << "this host lets nobody have namespaces";
  }
};

TEST_F(WorkerNamespacesTest, ThereIsNoNetworkButWhatWasHandedOver) {
  WorkerOptions options = Open();
  options.namespaces.network = Need::kRequired;
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  options.keep_descriptors = {pair[1]};
  EXPECT_EQ(EndOf(options,
                  [&] {
                    ifreq lo{};
                    std::strncpy(lo.ifr_name, "lo", sizeof(lo.ifr_name) - 1);
                    const int fd = socket(AF_INET, SOCK_STREAM, 0);
                    if (ioctl(fd, SIOCGIFFLAGS, &lo) != 0) return 1;
                    if ((lo.ifr_flags & IFF_UP) != 0) return 2;
                    sockaddr_in address{};
                    address.sin_family = AF_INET;
                    address.sin_port = htons(80);
                    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
                      return 3;
                    }
                    return errno == ENETUNREACH && write(pair[1], "x", 1) == 1 ? 0 : 4;
                  }),
            Exited(0));
  char byte = 0;
  EXPECT_EQ(read(pair[0], &byte, 1), 1);
  close(pair[0]);
  close(pair[1]);
}

TEST_F(WorkerNamespacesTest, OtherProcessesCannotBeSignalled) {
  WorkerOptions options = Open();
  options.namespaces.pid = Need::kRequired;
  EXPECT_EQ(EndOf(options,
                  [test = getpid()] {
                    if (getpid() != 1) return 1;
                    if (ErrnoOf(kill(test, 0)) != ESRCH) return 2;
                    return ErrnoOf(kill(-1, SIGKILL)) == ESRCH ? 0 : 3;
                  }),
            Exited(0));
}

TEST_F(WorkerNamespacesTest, TheWorkersEndIsPassedOn) {
  WorkerOptions options = Open();
  options.namespaces.pid = Need::kRequired;
  EXPECT_EQ(EndOf(options, [] { return 77; }), Exited(77));
  options.confinement.profile = FetcherProfile();
  EXPECT_EQ(EndOf(options, [] { return int(getppid()); }), Signaled(SIGSYS));
}

TEST_F(WorkerNamespacesTest, KillingTheWorkerKillsTheOneInside) {
  WorkerOptions options = Open();
  options.namespaces.pid = Need::kRequired;
  ChannelPair channel = MakeChannel();
  auto worker = Worker::Start(std::move(channel.worker), options, Nothing, WaitForEndOfChannel);
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_TRUE(worker->in_force().pid);
  worker->Kill();
  EXPECT_EQ(worker->Wait().value(), Signaled(SIGKILL));
  EXPECT_TRUE(HangsUp(channel.launcher.get())) << "nobody holds the channel any more";
}

TEST_F(WorkerNamespacesTest, NothingCanBeWrittenButBeneathTheFolder) {
  const std::string out = ::testing::TempDir() + "/out";
  const std::string elsewhere = ::testing::TempDir() + "/elsewhere";
  for (const std::string& folder : {out, elsewhere}) mkdir(folder.c_str(), 0777);
  WorkerOptions options = Open();
  options.namespaces.mount = Need::kRequired;
  options.confinement.files = {ReadWrite(out)};
  const auto make = [](const std::string& folder) {
    return ErrnoOf(open((folder + "/new").c_str(), O_WRONLY | O_CREAT, 0600));
  };
  // In `prepare`, where Landlock has no say yet.
  const auto status = StartAndWait(
      options,
      [&](int) {
        if (make(out) != 0) return 1;
        return make(elsewhere) == EROFS ? 0 : 2;
      },
      Nothing);
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(*status, Exited(0));
}

TEST_F(WorkerNamespacesTest, SystemVIpcIsNotShared) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) GTEST_SKIP() << "no System V IPC here";
  WorkerOptions options = Open();
  options.namespaces.ipc = Need::kRequired;
  EXPECT_EQ(EndOf(options,
                  [&] {
                    msqid_ds status;
                    return ErrnoOf(msgctl(queue, IPC_STAT, &status));
                  }),
            Exited(EINVAL));
  msgctl(queue, IPC_RMID, nullptr);
}

// The signal of a parent's death needs the parent's rights, of which the one outside has few.
TEST_F(WorkerNamespacesTest, KillingTheWorkerKillsAnotherUsersInside) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give a worker another user";
  WorkerOptions options = Open();
  options.namespaces.pid = Need::kRequired;
  options.identity = Identity{65534, 65534, {}};
  ChannelPair channel = MakeChannel();
  auto worker = Worker::Start(std::move(channel.worker), options, Nothing, WaitForEndOfChannel);
  ASSERT_TRUE(worker.ok()) << worker.status();
  worker->Kill();
  EXPECT_EQ(worker->Wait().value(), Signaled(SIGKILL));
  EXPECT_TRUE(HangsUp(channel.launcher.get())) << "nobody holds the channel any more";
}

// With a copy of the launcher's memory, it ends as a worker makes it.
TEST_F(WorkerNamespacesTest, TheOneOutsideLeavesNoCore) {
  WorkerOptions options;
  options.namespaces.pid = Need::kRequired;
  ChannelPair channel = MakeChannel();
  auto worker = Worker::Start(std::move(channel.worker), options, Nothing, WaitForEndOfChannel);
  ASSERT_TRUE(worker.ok()) << worker.status();
  // The worker may be ready before it is.
  rlimit core{1, 1};
  for (int i = 0; i < 1000 && core.rlim_max != 0; ++i) {
    ASSERT_EQ(prlimit(worker->pid(), RLIMIT_CORE, nullptr, &core), 0) << strerror(errno);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(core.rlim_max, 0U);
}

// As on a kernel that has unshare(2), but not all that follows.
TEST_F(WorkerNamespacesTest, WhatIsOnlyWantedMayBeMissing) {
  EXPECT_EQ(RunForked([] {
              const Profile old{"old", kAllow, {{"mount_setattr", Errno(ENOSYS)}}};
              if (confine::SeccompFilter::Build(old)->Install() != 0) return 1;
              WorkerOptions options;
              options.namespaces = {Need::kIfPossible, Need::kIfPossible, Need::kIfPossible,
                                    Need::kIfPossible};
              auto worker = Worker::Start(MakeChannel().worker, options, Nothing, Nothing);
              if (!worker.ok() || worker->in_force().mount) return 2;
              options.namespaces.mount = Need::kRequired;
              return Worker::Start(MakeChannel().worker, options, Nothing, Nothing).ok() ? 3 : 0;
            }),
            Exited(0));
}

TEST(WorkerPrivileges, ASavedUserIsNotForgotten) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can be another user in part";
  EXPECT_EQ(RunForked([] {
              if (setresuid(65534, 65534, 0) != 0) return 1;
              return Identity{65534, 65534, {}}.IsHeld() ? 2 : 0;
            }),
            Exited(0));
}

TEST(WorkerPrivileges, OneThatEndedEarlyClaimsNothing) {
  const auto give_up = [](int) { return 3; };
  auto worker = Worker::Start(MakeChannel().worker, {}, give_up, Nothing);
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_TRUE(worker->in_force().profile.empty());
  EXPECT_FALSE(worker->in_force().undumpable);
}

TEST(WorkerPrivileges, NoneIsLeft) {
  EXPECT_EQ(EndOf(Open(), [] { return confine::PermittedCapabilities() == 0 ? 0 : 1; }), Exited(0));
  EXPECT_EQ(EndOf(Open(), [] { return ErrnoOf(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)); }),
            Exited(EPERM));
}

TEST(WorkerPrivileges, TheOneOfAnotherUserIsThatUsers) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give a worker another user";
  WorkerOptions options = Open();
  options.identity = Identity{65534, 65534, {}};
  EXPECT_EQ(EndOf(options,
                  [] {
                    uid_t real, effective, saved;
                    if (getresuid(&real, &effective, &saved) != 0) return 1;
                    if (real != 65534 || effective != 65534 || saved != 65534) return 2;
                    if (getgid() != 65534 || getgroups(0, nullptr) != 0) return 3;
                    return ErrnoOf(setuid(0));
                  }),
            Exited(EPERM));
}

TEST(WorkerPrivileges, AUserThatCannotBecomeAnotherIsTold) {
  EXPECT_EQ(RunForked([] {
              if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) return 1;
              WorkerOptions options = Open();
              options.identity = Identity{1, 1, {}};
              const absl::Status status = StartAndWait(options, Nothing, Nothing).status();
              return absl::StrContains(status.message(), "another user") ? 0 : 2;
            }),
            Exited(0));
}

TEST(WorkerPrivileges, OtherUserStillDiesWithTheLauncher) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give a worker another user";
  ChannelPair channel = MakeChannel();
  const pid_t launcher = fork();
  if (launcher == 0) {
    WorkerOptions options = Open();
    options.identity = Identity{65534, 65534, {}};
    auto worker = Worker::Start(std::move(channel.worker), options, Nothing, WaitForEndOfChannel);
    channel.launcher.Reset();
    if (worker.ok()) kill(getpid(), SIGKILL);
    _exit(1);
  }
  channel.worker.Reset();
  int status = 0;
  waitpid(launcher, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(HangsUp(channel.launcher.get()));
}

// Not dumpable: another process of the same user, without privilege, sees nothing of it.
TEST(WorkerPrivileges, ItsMemoryIsClosedToItsOwnUser) {
  EXPECT_EQ(RunForked([] {
              if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) return 1;
              // Becoming another user has closed it already.
              if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) return 3;
              ChannelPair channel = MakeChannel();
              auto worker =
                  Worker::Start(std::move(channel.worker), {}, Nothing, WaitForEndOfChannel);
              if (!worker.ok()) return 2;
              const std::string memory = "/proc/" + std::to_string(worker->pid()) + "/mem";
              return ErrnoOf(open(memory.c_str(), O_RDONLY));
            }),
            Exited(EACCES));
}

TEST(WorkerStreams, StandardInputIsEmptyUnlessItIsKept) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  ASSERT_EQ(write(pipe_ends[1], "secret", 6), 6);
  EXPECT_EQ(RunForked([&] {
              dup2(pipe_ends[0], STDIN_FILENO);
              WorkerOptions options;
              char byte;
              const auto read_one = [&](int) { return int(read(STDIN_FILENO, &byte, 1)); };
              if (StartAndWait(options, Nothing, read_one).value() != Exited(0)) return 1;
              options.streams.in = Stream::kKeep;
              return StartAndWait(options, Nothing, read_one).value() == Exited(1) ? 0 : 2;
            }),
            Exited(0));
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST(WorkerStreams, OutputCanBeTakenAway) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  EXPECT_EQ(RunForked([&] {
              dup2(pipe_ends[1], STDOUT_FILENO);
              WorkerOptions options;
              options.streams.out = Stream::kNull;
              const auto write_one = [](int) { return write(STDOUT_FILENO, "x", 1) == 1 ? 0 : 1; };
              return StartAndWait(options, Nothing, write_one).value().code_or_signal;
            }),
            Exited(0));
  close(pipe_ends[1]);
  char byte;
  EXPECT_EQ(read(pipe_ends[0], &byte, 1), 0) << "nothing came";
  close(pipe_ends[0]);
}

}  // namespace
}  // namespace sockgate::launch
