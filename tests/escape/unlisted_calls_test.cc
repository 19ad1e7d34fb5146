// Every system call that the fetcher profile does not name, by number: those of today, and those
// that a kernel may get tomorrow.

#include <errno.h>
#include <gtest/gtest.h>
#include <seccomp.h>
#include <signal.h>
#include <unistd.h>

#include <set>

#include "client/launch/sandbox_profile.h"
#include "confine/seccomp_filter.h"
#include "tests/client/launch/forked.h"

namespace sockgate::escape {
namespace {

using confine::SeccompFilter;
using launch::FetcherProfile;
using launch::RunForked;

// Well beyond the newest call there is.
constexpr int kLastTried = 700;

// uretprobe and uprobe: the kernel's own way back from a probe that root has set, which no filter
// is asked about (from Linux 6.14 and 6.18 on). Called from anywhere else they do nothing.
bool IsKernelsOwn(int number) {
#if defined(__x86_64__)
  return number == 335 || number == 336;
#else
  return number < 0;
#endif
}

// With arguments that mean nothing to any of them.
int Call(const SeccompFilter& filter, int number) {
  if (filter.Install() != 0) return 1;
  syscall(number, -1, -1, -1, -1, -1, -1);
  return 0;
}

TEST(UnlistedCalls, KillTheProcess) {
  std::set<int> listed;
  for (const launch::Rule& rule : FetcherProfile().rules) {
    listed.insert(seccomp_syscall_resolve_name(rule.syscall.c_str()));
  }
  const auto filter = SeccompFilter::Build(FetcherProfile());
  ASSERT_TRUE(filter.ok()) << filter.status();
  int tried = 0;
  for (int number = 0; number <= kLastTried; ++number) {
    if (listed.count(number) != 0 || IsKernelsOwn(number)) continue;
    ++tried;
    EXPECT_EQ(RunForked([&] { return Call(*filter, number); }), launch::Signaled(SIGSYS))
        << "system call " << number;
  }
  EXPECT_GT(tried, 600);
}

// A negative number is no call either, and a tracer's way to skip one.
TEST(UnlistedCalls, SoDoNumbersBeyondAll) {
  const auto filter = SeccompFilter::Build(FetcherProfile());
  ASSERT_TRUE(filter.ok()) << filter.status();
  for (const int number : {-2, -1000, 0x3fffffff, 0x7fffffff}) {
    EXPECT_EQ(RunForked([&] { return Call(*filter, number); }), launch::Signaled(SIGSYS)) << number;
  }
}

}  // namespace
}  // namespace sockgate::escape
