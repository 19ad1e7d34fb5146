// Confine, SeccompFilter::Install and ConnectAnswersInProgress on the running kernel.

#include "client/launch/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "absl/strings/match.h"
#include "confine/capabilities.h"
#include "confine/seccomp_filter.h"
#include "tests/client/launch/forked.h"

namespace sockgate::launch {
namespace {

using confine::SeccompFilter;

constexpr int kNotConfined = 200;
constexpr int kWrong = 201;

int ConfineWith(const Profile& profile) { return Confine(profile).ok() ? 0 : kNotConfined; }

TEST(Confine, SetsNoNewPrivilegesAndAFilter) {
  EXPECT_EQ(RunForked([] {
              if (!Confine(ProgramProfile()).ok()) return kNotConfined;
              const bool locked = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
                                  prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER;
              return locked ? 0 : kWrong;
            }),
            Exited(0));
}

TEST(Confine, BindsThreadsThatAlreadyRun) {
  EXPECT_EQ(RunForked([] {
              if (confine::KeepOnlyCapabilities(0) != 0) return kWrong;
              std::atomic<bool> confined{false};
              int seen = 0;
              std::thread earlier([&] {
                while (!confined) std::this_thread::yield();
                seen = ErrnoOf(socket(AF_INET, SOCK_STREAM, 0));
              });
              const int failed = ConfineWith(FetcherProfile());
              confined = true;
              earlier.join();
              return failed != 0 ? failed : seen;
            }),
            Exited(EACCES));
}

TEST(Confine, FailsWhenAThreadHoldsCapabilities) {
  if (confine::PermittedCapabilities() == 0) GTEST_SKIP() << "this user has none";
  EXPECT_EQ(RunForked([] {
              std::atomic<bool> done{false};
              std::thread earlier([&] {
                while (!done) std::this_thread::yield();
              });
              const absl::Status status = Confine(FetcherProfile()).status();
              done = true;
              earlier.join();
              return absl::StrContains(status.message(), "holds capabilities") ? 0 : kWrong;
            }),
            Exited(0));
}

TEST(Confine, FailsWhenAThreadHasAFilterOfItsOwn) {
  EXPECT_EQ(RunForked([] {
              std::atomic<int> turn{0};
              std::thread stubborn([&] {
                const sock_filter allow{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
                const sock_fprog code{1, const_cast<sock_filter*>(&allow)};
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                const bool ok = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &code) == 0;
                turn = ok ? 1 : 2;
                while (turn != 3) std::this_thread::yield();
              });
              while (turn == 0) std::this_thread::yield();
              const bool prepared = turn == 1;
              const auto filter = SeccompFilter::Build(FetcherProfile());
              const int error = prepared && filter.ok() ? filter->Install() : kWrong;
              turn = 3;
              stubborn.join();
              return error;
            }),
            Exited(ESRCH));
}

TEST(Confine, ReportsAProfileThatIsWrong) {
  const Profile wrong{"mine", kKillProcess, {{"no_such_call", kAllow}}};
  const absl::Status status = Confine(wrong).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0) << "the test itself must stay free";
}

TEST(Confine, KillsByDefault) {
  EXPECT_EQ(RunForked([] {
              if (!Confine(FetcherProfile()).ok()) return kNotConfined;
              return ErrnoOf(syscall(SYS_getppid));
            }),
            Signaled(SIGSYS));
}

TEST(Confine, LogModeLetsEverythingThroughThatNoRuleRefuses) {
  EXPECT_EQ(RunForked([] {
              if (!Confine(FetcherLogProfile()).ok()) return kNotConfined;
              if (syscall(SYS_getppid) <= 0) return kWrong;
              return ErrnoOf(socket(AF_INET, SOCK_STREAM, 0));
            }),
            Exited(EACCES));
}

// What an executed program does: the corridor first, the fetcher's filter on top.
TEST(Confine, FetcherOnTopOfProgramIsAtLeastTheFetcher) {
  EXPECT_EQ(RunForked([] {
              if (SeccompFilter::Build(ProgramProfile())->Install() != 0) return kNotConfined;
              if (!ConnectAnswersInProgress()) return kWrong;
              const int file = open("/dev/null", O_RDONLY);
              if (file < 0) return kWrong + 1;
              if (!Confine(FetcherProfile()).ok()) return kNotConfined;
              if (!ConnectAnswersInProgress()) return kWrong + 2;
              if (ErrnoOf(socket(AF_INET, SOCK_STREAM, 0)) != EACCES) return kWrong + 3;
              if (ErrnoOf(open("/dev/null", O_RDONLY)) != EACCES) return kWrong + 4;
              if (ErrnoOf(syscall(SYS_clone3, nullptr, 0)) != ENOSYS) return kWrong + 5;
              return ErrnoOf(close(file));
            }),
            Exited(0));
}

TEST(Confine, ThereIsNoFilterUponTheFetchers) {
  EXPECT_EQ(RunForked([] {
              if (!Confine(FetcherProfile()).ok()) return kNotConfined;
              return ErrnoOf(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, nullptr));
            }),
            Signaled(SIGSYS));
}

TEST(ConnectProbe, IsFalseWithoutAFilterAndKeepsErrno) {
  errno = ERANGE;
  EXPECT_FALSE(ConnectAnswersInProgress());
  EXPECT_EQ(errno, ERANGE);
}

TEST(ConnectProbe, IsTrueUnderBothProfiles) {
  for (const Profile& profile : {FetcherProfile(), ProgramProfile()}) {
    EXPECT_EQ(RunForked([&] {
                if (!Confine(profile).ok()) return kNotConfined;
                return ConnectAnswersInProgress() ? 0 : kWrong;
              }),
              Exited(0))
        << profile.name;
  }
}

TEST(ConnectProbe, IsFalseWhereConnectIsRefusedInAnotherWay) {
  EXPECT_EQ(RunForked([] {
              const Profile refusing{"no-connect", kAllow, {{"connect", Errno(EACCES)}}};
              if (!Confine(refusing).ok()) return kNotConfined;
              return ConnectAnswersInProgress() ? kWrong : 0;
            }),
            Exited(0));
}

}  // namespace
}  // namespace sockgate::launch
