#include "client/launch/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/personality.h>
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
#include "confine/seccomp_filter.h"
#include "tests/client/launch/forked.h"
#include "tests/client/launch/start_worker.h"

namespace sockgate::launch {
namespace {

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
  options.confinement.profile = Profile{"mine", kKillProcess, {{"no_such_call", kAllow}}};
  const absl::Status status = StartAndWait(options, Nothing, Nothing).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "no_such_call")) << status;
}

TEST(WorkerStart, ReportsConfinementThatFailsInTheChild) {
  // Under a filter that refuses seccomp(), no second one can be loaded.
  EXPECT_EQ(RunForked([] {
              const Profile no_more{"no-more", kAllow, {{"seccomp", Errno(ENOMEM)}}};
              if (confine::SeccompFilter::Build(no_more)->Install() != 0) return 200;
              const absl::Status status = StartAndWait({}, Nothing, Nothing).status();
              return absl::StrContains(status.message(), "seccomp filter") ? 0 : 201;
            }),
            Exited(0));
}

TEST(WorkerStart, MemoryThatIsReadIsNotThereforeExecuted) {
  EXPECT_EQ(RunForked([] {
              if (personality(READ_IMPLIES_EXEC) < 0) return 200;
              const auto look = [](int) {
                return (personality(0xffffffff) & READ_IMPLIES_EXEC) == 0 ? 0 : 1;
              };
              return StartAndWait({}, look, Nothing).value().code_or_signal;
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
              options.confinement.profile = Profile{"open", kAllow, {}};
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

}  // namespace
}  // namespace sockgate::launch
