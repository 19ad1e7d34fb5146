#include "client/launch/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "client/launch/seccomp_filter.h"
#include "tests/client/launch/forked.h"

namespace sockgate::launch {
namespace {

constexpr int kPatienceMs = 10000;

struct ChannelPair {
  UniqueFd launcher;
  UniqueFd worker;
};

ChannelPair MakeChannel() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

int Nothing(int) { return 0; }

int WaitForEndOfChannel(int channel) {
  char byte;
  return static_cast<int>(recv(channel, &byte, 1, 0));
}

absl::StatusOr<ExitStatus> StartAndWait(const WorkerOptions& options, Worker::Work prepare,
                                        Worker::Work run) {
  absl::StatusOr<Worker> worker =
      Worker::Start(MakeChannel().worker, options, std::move(prepare), std::move(run));
  if (!worker.ok()) return worker.status();
  return worker->Wait();
}

// Whether the other end of `fd` is closed, or becomes so soon.
bool HangsUp(int fd) {
  pollfd one{fd, POLLIN, 0};
  return poll(&one, 1, kPatienceMs) == 1 && (one.revents & POLLHUP) != 0;
}

// --- start, talk, end ---

TEST(WorkerStart, RunsConfinedWithTheChannel) {
  ChannelPair channel = MakeChannel();
  absl::StatusOr<Worker> worker = Worker::Start(std::move(channel.worker), {}, Nothing, [](int fd) {
    const int refused = ErrnoOf(socket(AF_INET, SOCK_STREAM, 0));
    return send(fd, &refused, sizeof(refused), 0) == sizeof(refused) ? 42 : 1;
  });
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_GT(worker->pid(), 0);
  int refused = 0;
  EXPECT_EQ(recv(channel.launcher.get(), &refused, sizeof(refused), 0), ssize_t{sizeof(refused)});
  EXPECT_EQ(refused, EACCES);
  EXPECT_EQ(worker->Wait().value(), Exited(42));
  EXPECT_EQ(worker->Wait().value(), Exited(42)) << "asked again";
}

TEST(WorkerStart, PreparesUnconfinedButWithoutNewPrivileges) {
  EXPECT_EQ(StartAndWait(
                {},
                [](int) {
                  const UniqueFd probe(socket(AF_INET, SOCK_STREAM, 0));
                  if (!probe.valid()) return 1;
                  return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 2;
                },
                [](int) { return 5; })
                .value(),
            Exited(5));
}

TEST(WorkerStart, StateOfPrepareIsThereInRun) {
  auto state = std::make_shared<int>(0);
  EXPECT_EQ(StartAndWait(
                {},
                [state](int) {
                  *state = 9;
                  return 0;
                },
                [state](int) { return *state; })
                .value(),
            Exited(9));
  EXPECT_EQ(*state, 0) << "the launcher's copy is its own";
}

TEST(WorkerStart, AFailedPrepareEndsTheWorkerWithItsCode) {
  EXPECT_EQ(StartAndWait(
                {}, [](int) { return 3; }, [](int) { return 4; })
                .value(),
            Exited(3));
}

TEST(WorkerStart, NeedsNoPrepare) {
  EXPECT_EQ(StartAndWait({}, nullptr, [](int) { return 6; }).value(), Exited(6));
}

TEST(WorkerStart, RefusesAWorkerWithoutWork) {
  EXPECT_EQ(StartAndWait({}, Nothing, nullptr).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(WorkerStart, AnExceptionEndsTheWorkerAndNotTheTest) {
  const ExitStatus status = StartAndWait(
                                {},
                                [](int) -> int {
                                  close(STDERR_FILENO);
                                  throw 1;
                                },
                                Nothing)
                                .value();
  EXPECT_EQ(status, Signaled(SIGABRT));
}

TEST(WorkerStart, GivesTheChannelAway) {
  ChannelPair channel = MakeChannel();
  absl::StatusOr<Worker> worker = Worker::Start(std::move(channel.worker), {}, Nothing, Nothing);
  ASSERT_TRUE(worker.ok());
  EXPECT_TRUE(HangsUp(channel.launcher.get())) << "nobody else may hold the worker's end";
}

TEST(WorkerStart, GivesTheChannelAwayOnFailureToo) {
  ChannelPair channel = MakeChannel();
  WorkerOptions options;
  options.keep_descriptors = {12345};
  EXPECT_FALSE(Worker::Start(std::move(channel.worker), options, Nothing, Nothing).ok());
  EXPECT_TRUE(HangsUp(channel.launcher.get()));
}

TEST(WorkerStart, NamesAWrongProfile) {
  WorkerOptions options;
  options.profile = Profile{"mine", kKillProcess, {{"no_such_call", kAllow}}};
  const absl::Status status = StartAndWait(options, Nothing, Nothing).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "no_such_call")) << status;
}

TEST(WorkerStart, ReportsConfinementThatFailsInTheChild) {
  // Under a filter that refuses seccomp(), no second one can be loaded.
  EXPECT_EQ(RunForked([] {
              const Profile no_more{"no-more", kAllow, {{"seccomp", Errno(ENOMEM)}}};
              if (!Confine(no_more).ok()) return 200;
              const absl::Status status = StartAndWait({}, Nothing, Nothing).status();
              return absl::StrContains(status.message(), "seccomp filter") ? 0 : 201;
            }),
            Exited(0));
}

// --- signals ---

TEST(WorkerStart, StartsWithDefaultSignalsAndNoneBlocked) {
  EXPECT_EQ(RunForked([] {
              if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) return 203;
              if (signal(SIGTERM, [](int) {}) == SIG_ERR) return 204;
              sigset_t blocked;
              sigemptyset(&blocked);
              sigaddset(&blocked, SIGINT);
              sigprocmask(SIG_BLOCK, &blocked, nullptr);
              const auto look = [](int) {
                struct sigaction pipe_action {};
                struct sigaction term_action {};
                sigset_t mask;
                sigaction(SIGPIPE, nullptr, &pipe_action);
                sigaction(SIGTERM, nullptr, &term_action);
                sigprocmask(SIG_BLOCK, nullptr, &mask);
                return pipe_action.sa_handler == SIG_DFL && term_action.sa_handler == SIG_DFL &&
                               sigismember(&mask, SIGINT) == 0
                           ? 0
                           : 1;
              };
              if (StartAndWait({}, look, Nothing).value() != Exited(0)) return 201;
              sigset_t after;
              sigprocmask(SIG_BLOCK, nullptr, &after);
              return sigismember(&after, SIGINT) == 1 && sigismember(&after, SIGTERM) == 0 ? 0
                                                                                           : 202;
            }),
            Exited(0));
}

// --- killing ---

TEST(Worker, KillEndsIt) {
  ChannelPair channel = MakeChannel();
  absl::StatusOr<Worker> worker =
      Worker::Start(std::move(channel.worker), {}, Nothing, WaitForEndOfChannel);
  ASSERT_TRUE(worker.ok());
  worker->Kill();
  EXPECT_EQ(worker->Wait().value(), Signaled(SIGKILL));
  worker->Kill();
}

TEST(Worker, DestructorKillsAndReaps) {
  ChannelPair channel = MakeChannel();
  pid_t pid = -1;
  {
    absl::StatusOr<Worker> worker =
        Worker::Start(std::move(channel.worker), {}, Nothing, WaitForEndOfChannel);
    ASSERT_TRUE(worker.ok());
    pid = worker->pid();
  }
  EXPECT_TRUE(HangsUp(channel.launcher.get()));
  EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD) << "no zombie is left";
}

TEST(Worker, OverwritingKillsTheOldOneAndMovingDoesNot) {
  ChannelPair first = MakeChannel();
  ChannelPair second = MakeChannel();
  absl::StatusOr<Worker> a =
      Worker::Start(std::move(first.worker), {}, Nothing, WaitForEndOfChannel);
  absl::StatusOr<Worker> b =
      Worker::Start(std::move(second.worker), {}, Nothing, WaitForEndOfChannel);
  ASSERT_TRUE(a.ok() && b.ok());
  const pid_t survivor = b->pid();
  *a = *std::move(b);
  EXPECT_TRUE(HangsUp(first.launcher.get()));
  EXPECT_EQ(a->pid(), survivor);
  EXPECT_EQ(kill(survivor, 0), 0);
  second.launcher.Reset();
  EXPECT_EQ(a->Wait().value(), Exited(0));
}

TEST(Worker, PidfdBecomesReadableAtTheEnd) {
  ChannelPair channel = MakeChannel();
  absl::StatusOr<Worker> worker =
      Worker::Start(std::move(channel.worker), {}, Nothing, WaitForEndOfChannel);
  ASSERT_TRUE(worker.ok());
  if (worker->pidfd() < 0) GTEST_SKIP() << "this kernel has no pidfds";
  pollfd one{worker->pidfd(), POLLIN, 0};
  EXPECT_EQ(poll(&one, 1, 0), 0);
  channel.launcher.Reset();
  EXPECT_EQ(poll(&one, 1, kPatienceMs), 1);
}

TEST(Worker, WaitSaysWhenSomebodyElseReaped) {
  absl::StatusOr<Worker> worker = Worker::Start(MakeChannel().worker, {}, Nothing, Nothing);
  ASSERT_TRUE(worker.ok());
  ASSERT_EQ(waitpid(worker->pid(), nullptr, 0), worker->pid());
  EXPECT_EQ(worker->Wait().status().code(), absl::StatusCode::kNotFound);
}

TEST(Worker, WaitSurvivesInterruptions) {
  EXPECT_EQ(RunForked([] {
              struct sigaction noop {};
              noop.sa_handler = [](int) {};
              sigaction(SIGUSR1, &noop, nullptr);
              const pid_t waiter = getpid();
              WorkerOptions options;
              options.profile = Profile{"open", kAllow, {}};
              absl::StatusOr<Worker> worker =
                  Worker::Start(MakeChannel().worker, options, Nothing, [waiter](int) {
                    for (int i = 0; i < 20; ++i) {
                      kill(waiter, SIGUSR1);
                      usleep(2000);
                    }
                    return 11;
                  });
              return worker.ok() && worker->Wait().value() == Exited(11) ? 0 : 201;
            }),
            Exited(0));
}

// --- descriptors ---

// Lists the descriptors below 4096 that are open in this process.
std::vector<int> OpenDescriptors() {
  std::vector<int> open;
  for (int fd = 0; fd < 4096; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) open.push_back(fd);
  }
  return open;
}

TEST(WorkerDescriptors, OnlyTheMeantOnesAreOpen) {
  const UniqueFd secret(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd far(fcntl(secret.get(), F_DUPFD, 700));
  const UniqueFd kept(fcntl(secret.get(), F_DUPFD, 500));
  ASSERT_TRUE(secret.valid() && far.valid() && kept.valid());
  ChannelPair channel = MakeChannel();
  const int number = channel.worker.get();
  WorkerOptions options;
  options.keep_descriptors = {kept.get(), kept.get(), 1};
  const std::vector<int> expected = {0, 1, 2, number, kept.get()};
  absl::StatusOr<Worker> worker =
      Worker::Start(std::move(channel.worker), options, Nothing,
                    [&](int) { return OpenDescriptors() == expected ? 0 : 1; });
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_EQ(worker->Wait().value(), Exited(0));
  EXPECT_EQ(fcntl(secret.get(), F_GETFD), FD_CLOEXEC) << "the launcher keeps its own";
}

TEST(WorkerDescriptors, MissingStandardStreamsAreFilled) {
  EXPECT_EQ(RunForked([] {
              ChannelPair channel = MakeChannel();
              close(STDIN_FILENO);
              close(STDERR_FILENO);
              absl::StatusOr<Worker> worker =
                  Worker::Start(std::move(channel.worker), {}, Nothing, [](int fd) {
                    return OpenDescriptors() == std::vector<int>{0, 1, 2, fd} ? 0 : 1;
                  });
              return worker.ok() ? worker->Wait().value().code_or_signal : 202;
            }),
            Exited(0));
}

TEST(WorkerDescriptors, WhatCannotBeKeptIsAnError) {
  WorkerOptions options;
  options.keep_descriptors = {12345};
  const absl::Status status = StartAndWait(options, Nothing, Nothing).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "12345")) << status;
  EXPECT_FALSE(Worker::Start(UniqueFd(), {}, Nothing, Nothing).ok()) << "no channel";
  EXPECT_FALSE(Worker::Start(UniqueFd(4000), {}, Nothing, Nothing).ok()) << "channel not open";
}

TEST(WorkerDescriptors, StartingManyLeavesNothingBehind) {
  const std::vector<int> before = OpenDescriptors();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(StartAndWait({}, Nothing, Nothing).value(), Exited(0));
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(WorkerDescriptors, AFileStreamOpenedBeforeIsWritableAfter) {
  std::string path = testing::TempDir() + "/sockgate_stream_XXXXXX";
  const UniqueFd file(mkstemp(path.data()));
  ASSERT_TRUE(file.valid());
  auto stream = std::make_shared<std::ofstream>();
  const auto prepare = [&](int) {
    stream->open(path);
    return stream->good() ? 0 : 1;
  };
  const auto run = [&](int) {
    *stream << "head " << std::string(100000, 'x') << std::flush;
    return stream->good() ? 0 : 2;
  };
  EXPECT_EQ(StartAndWait({}, prepare, run).value(), Exited(0));
  EXPECT_EQ(lseek(file.get(), 0, SEEK_END), 100005);
  unlink(path.c_str());
}

// --- limits ---

int CheckLimit(__rlimit_resource resource, rlim_t value) {
  rlimit limit{};
  getrlimit(resource, &limit);
  return limit.rlim_cur == value && limit.rlim_max == value ? 0 : 1;
}

TEST(WorkerLimits, CoreDumpsAreAlwaysOff) {
  EXPECT_EQ(StartAndWait(
                {}, [](int) { return CheckLimit(RLIMIT_CORE, 0); }, Nothing)
                .value(),
            Exited(0));
}

TEST(WorkerLimits, AreSetBeforePrepare) {
  WorkerOptions options;
  options.limits.open_files = 33;
  options.limits.cpu_seconds = 44;
  options.limits.file_size_bytes = 55555;
  if (!UnderAddressSanitizer()) options.limits.address_space_bytes = rlim_t{1} << 30;
  EXPECT_EQ(StartAndWait(
                options,
                [&](int) {
                  if (CheckLimit(RLIMIT_NOFILE, 33) != 0) return 1;
                  if (CheckLimit(RLIMIT_CPU, 44) != 0) return 2;
                  if (CheckLimit(RLIMIT_FSIZE, 55555) != 0) return 3;
                  if (!options.limits.address_space_bytes) return 0;
                  return CheckLimit(RLIMIT_AS, rlim_t{1} << 30) == 0 ? 0 : 4;
                },
                Nothing)
                .value(),
            Exited(0));
}

TEST(WorkerLimits, AnImpossibleOneIsReported) {
  WorkerOptions options;
  options.limits.open_files = rlim_t{1} << 40;  // more than fs.nr_open, which binds root too
  const absl::Status status = StartAndWait(options, Nothing, Nothing).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(absl::StrContains(status.message(), "resource limit")) << status;
}

// --- the launcher's death ---

// A middle process starts a worker that holds the far end of a pipe, and is then killed.
// Returns the near end, on which the worker's death shows, and the launcher's end of the channel.
ChannelPair KillTheLauncher(bool die_with_launcher) {
  ChannelPair channel = MakeChannel();
  ChannelPair life = MakeChannel();
  const pid_t middle = fork();
  if (middle == 0) {
    WorkerOptions options;
    options.die_with_launcher = die_with_launcher;
    options.keep_descriptors = {life.worker.get()};
    const int life_end = life.worker.get();
    absl::StatusOr<Worker> worker =
        Worker::Start(std::move(channel.worker), options, Nothing, [life_end](int fd) {
          send(life_end, "up", 2, 0);
          return WaitForEndOfChannel(fd);
        });
    if (!worker.ok()) _exit(1);
    pause();
    _exit(0);
  }
  life.worker.Reset();
  channel.worker.Reset();
  char up[2];
  EXPECT_EQ(recv(life.launcher.get(), up, sizeof(up), 0), 2);
  kill(middle, SIGKILL);
  waitpid(middle, nullptr, 0);
  return {std::move(channel.launcher), std::move(life.launcher)};
}

TEST(WorkerLife, EndsWithTheLauncher) {
  const ChannelPair ends = KillTheLauncher(true);
  EXPECT_TRUE(HangsUp(ends.worker.get()));
}

TEST(WorkerLife, GoesOnWhereThatIsAskedFor) {
  ChannelPair ends = KillTheLauncher(false);
  pollfd one{ends.worker.get(), POLLIN, 0};
  EXPECT_EQ(poll(&one, 1, 100), 0);
  ends.launcher.Reset();
  EXPECT_TRUE(HangsUp(ends.worker.get()));
}

}  // namespace
}  // namespace sockgate::launch
