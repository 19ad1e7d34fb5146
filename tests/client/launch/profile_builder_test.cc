#include "client/launch/profile_builder.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <seccomp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/match.h"
#include "client/launch/confine.h"
#include "tests/client/launch/forked.h"

namespace sockgate::launch {
namespace {

constexpr int kNotConfined = 200;

// How a call ends under the profile that was built.
ExitStatus Under(const absl::StatusOr<Profile>& profile, const std::function<int64_t()>& call) {
  EXPECT_TRUE(profile.ok()) << profile.status();
  return RunForked([&] { return Confine(*profile).ok() ? ErrnoOf(call()) : kNotConfined; });
}

int64_t Parent() { return syscall(SYS_getppid); }

TEST(ProfileBuilder, BeginsWithTheFetcher) {
  const auto profile = ProfileBuilder("mine").Build();
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(profile->name, "mine");
  EXPECT_EQ(profile->rules.size(), FetcherProfile().rules.size());
  EXPECT_EQ(Under(profile, Parent), Signaled(SIGSYS));
}

TEST(ProfileBuilder, AddsACall) {
  EXPECT_EQ(Under(ProfileBuilder("mine").Allow("getppid").Build(), Parent), Exited(0));
}

TEST(ProfileBuilder, AddsACallUnderConditions) {
  const auto profile =
      ProfileBuilder("mine").Allow("getpriority", {IntIs(0, PRIO_PROCESS)}).Build();
  EXPECT_EQ(Under(profile, [] { return syscall(SYS_getpriority, PRIO_PROCESS, 0); }), Exited(0));
  EXPECT_EQ(Under(profile, [] { return syscall(SYS_getpriority, PRIO_USER, 0); }),
            Signaled(SIGSYS));
}

TEST(ProfileBuilder, AnswersACall) {
  EXPECT_EQ(Under(ProfileBuilder("mine").Answer("getppid", ENOSYS).Build(), Parent),
            Exited(ENOSYS));
}

TEST(ProfileBuilder, AnswersWhatItAllowedBefore) {
  const auto profile = ProfileBuilder("mine").Allow("getppid").Answer("getppid", EPERM).Build();
  EXPECT_EQ(Under(profile, Parent), Exited(EPERM));
}

TEST(ProfileBuilder, AllowsWhatTheFetcherAnswers) {
  const auto profile = ProfileBuilder("mine").Allow("sysinfo").Build();
  EXPECT_EQ(Under(profile,
                  [] {
                    char room[256];
                    return syscall(SYS_sysinfo, room);
                  }),
            Exited(0));
}

TEST(ProfileBuilder, TheSameTwiceIsTheSameOnce) {
  const auto profile = ProfileBuilder("mine").Allow("getppid").Allow("getppid").Build();
  EXPECT_EQ(Under(profile, Parent), Exited(0));
}

TEST(ProfileBuilder, SaysWhatBecomesOfTheRest) {
  EXPECT_EQ(Under(ProfileBuilder("mine").Otherwise(Errno(ENOSYS)).Build(), Parent), Exited(ENOSYS));
}

// Every call of today, but those that the list says are harmless.
TEST(ProfileBuilder, AllowsNoWayOutByAccident) {
  int harmless = 0;
  for (int number = 0; number < 500; ++number) {
    char* const name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    if (name == nullptr) continue;
    harmless += ProfileBuilder("mine").Allow(name).Build().ok() ? 1 : 0;
    std::free(name);
  }
  EXPECT_EQ(harmless, 90) << "a call more than before: is it harmless?";
  for (const char* call :
       {"socket",        "connect",  "sendmsg",    "execve",    "io_uring_setup", "ptrace",
        "clone",         "mmap",     "setsockopt", "kill",      "openat",         "openat2",
        "open",          "truncate", "chmod",      "link",      "mknod",          "prlimit64",
        "sched_setattr", "mq_open",  "shmget",     "io_submit", "vmsplice",       "setpgid"}) {
    const absl::Status status =
        ProfileBuilder("mine").Allow(call).Allow("getppid").Build().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << call;
    EXPECT_TRUE(absl::StrContains(status.message(), call)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "AllowWayOut")) << status;
  }
}

TEST(ProfileBuilder, TheRestIsNeverLetThrough) {
  EXPECT_FALSE(ProfileBuilder("mine").Otherwise(kAllow).Build().ok());
  EXPECT_FALSE(ProfileBuilder("mine").Otherwise(kLog).Build().ok());
}

TEST(ProfileBuilder, AllowsOneThatIsMeant) {
  const auto profile = ProfileBuilder("mine").AllowWayOut("socket", {IntIs(0, AF_UNIX)}).Build();
  EXPECT_EQ(Under(profile, [] { return socket(AF_UNIX, SOCK_STREAM, 0); }), Exited(0));
  EXPECT_EQ(Under(profile, [] { return socket(AF_INET, SOCK_STREAM, 0); }), Signaled(SIGSYS));
}

TEST(ProfileBuilder, NamesACallThatThereIsNot) {
  const absl::Status status = ProfileBuilder("mine").Allow("no_such_call").Build().status();
  EXPECT_TRUE(absl::StrContains(status.message(), "no_such_call")) << status;
}

}  // namespace
}  // namespace sockgate::launch
