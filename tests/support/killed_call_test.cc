#include "tests/support/killed_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/profile.h"
#include "confine/seccomp_filter.h"

namespace sockgate::testing {
namespace {

TEST(KilledCall, NamesTheCall) {
  confine::Profile profile;
  profile.name = "test";
  profile.fallback = confine::kAllow;
  profile.rules = {{"getpgid", confine::kKillProcess}};
  const auto filter = confine::SeccompFilter::Build(profile);
  ASSERT_TRUE(filter.ok());
  const pid_t pid = fork();
  if (pid == 0) {
    if (filter->Install() != 0) _exit(1);
    _exit(getpgid(0) > 0 ? 2 : 3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  const std::string killed = KilledCall(pid, status);
  EXPECT_THAT(killed, ::testing::AnyOf(::testing::HasSubstr("at getpgid ("),
                                       ::testing::HasSubstr("does not say")));
}

TEST(KilledCall, OtherEndsAreNone) {
  EXPECT_EQ(KilledCall(1, 0), "");
  EXPECT_EQ(KilledCall(1, SIGKILL), "");
}

}  // namespace
}  // namespace sockgate::testing
