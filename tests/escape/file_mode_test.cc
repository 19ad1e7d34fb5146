// A worker that may write files must not leave a program behind that runs as the worker's user for
// whoever starts it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "client/launch/confine.h"
#include "client/launch/profile_builder.h"
#include "tests/client/launch/forked.h"

namespace sockgate::escape {
namespace {

using launch::Exited;

constexpr int kNotConfined = 250;

// How a worker ends that gives a file of its own this mode.
launch::ExitStatus GivenMode(mode_t mode) {
  return launch::RunForked([=] {
    FILE* const file = tmpfile();
    const auto profile = launch::ProfileBuilder("with files").AllowFiles().Build();
    if (file == nullptr || !profile.ok() || !launch::Confine(*profile).ok()) return kNotConfined;
    return launch::ErrnoOf(fchmod(fileno(file), mode));
  });
}

// The same for one that is made with it. Landlock refuses to make it, after the filter.
launch::ExitStatus MadeWithMode(mode_t mode) {
  return launch::RunForked([=] {
    const auto profile = launch::ProfileBuilder("with files").AllowFiles().Build();
    if (!profile.ok() || !launch::Confine(*profile).ok()) return kNotConfined;
    return open("/no/such/folder/file", O_WRONLY | O_CREAT, mode) < 0 ? 0 : 1;
  });
}

TEST(FileMode, OrdinaryOnesMayBeGiven) {
  EXPECT_EQ(GivenMode(0600), Exited(0));
  EXPECT_EQ(MadeWithMode(0600), Exited(0));
  EXPECT_EQ(GivenMode(S_IFREG | 0644), Exited(0));
}

TEST(FileMode, OnesThatLendTheUsersRightsKill) {
  for (const mode_t mode : {S_ISUID, S_ISGID, S_ISVTX, S_ISUID | S_ISGID | S_ISVTX}) {
    EXPECT_EQ(GivenMode(mode | 0755), launch::Signaled(SIGSYS)) << mode;
    EXPECT_EQ(MadeWithMode(mode | 0755), launch::Signaled(SIGSYS)) << mode;
  }
}

}  // namespace
}  // namespace sockgate::escape
