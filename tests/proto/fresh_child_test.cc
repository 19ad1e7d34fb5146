#include "proto/fresh_child.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/launch/confine.h"
#include "tests/client/launch/forked.h"

namespace sockgate::launch {
namespace {

constexpr int kHigh = 900;

bool Open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

// Opens 10..19 and one far above, sweeps, and returns 0 if exactly `keep` is left.
int SweepAndLook(const std::vector<int>& keep) {
  for (int fd = 10; fd < 20; ++fd) dup2(STDERR_FILENO, fd);
  dup2(STDERR_FILENO, kHigh);
  if (const int error = CloseAllDescriptorsBut(keep)) return error;
  size_t left = 0;
  for (int fd = 0; fd < 2000; ++fd) left += Open(fd) ? 1 : 0;
  for (const int fd : keep) {
    if (!Open(fd)) return 200;
  }
  return left == keep.size() ? 0 : 201;
}

TEST(DescriptorSweep, LeavesExactlyWhatIsKept) {
  EXPECT_EQ(RunForked([] { return SweepAndLook({0, 1, 2, 12, 13, 17, kHigh}); }), Exited(0));
}

TEST(DescriptorSweep, ClosesEverythingWhenNothingIsKept) {
  EXPECT_EQ(RunForked([] { return SweepAndLook({}); }), Exited(0));
}

TEST(DescriptorSweep, WorksWithoutCloseRange) {
  for (const int error : {ENOSYS, EPERM}) {
    EXPECT_EQ(RunForked([&] {
                if (!Confine({"old", kAllow, {{"close_range", Errno(error)}}}).ok()) return 202;
                return SweepAndLook({2, 12, 19});
              }),
              Exited(0));
  }
}

TEST(DescriptorSweep, WithoutCloseRangeALowLimitHidesNothing) {
  EXPECT_EQ(RunForked([] {
              dup2(STDERR_FILENO, kHigh);
              const rlimit low{64, 64};
              if (setrlimit(RLIMIT_NOFILE, &low) != 0) return 203;
              if (!Confine({"old", kAllow, {{"close_range", Errno(ENOSYS)}}}).ok()) return 202;
              if (const int error = CloseAllDescriptorsBut({2})) return error;
              return Open(kHigh) ? 201 : 0;
            }),
            Exited(0));
}

TEST(DescriptorSweep, ReportsAnyOtherRefusal) {
  EXPECT_EQ(RunForked([] {
              if (!Confine({"odd", kAllow, {{"close_range", Errno(EIO)}}}).ok()) return 202;
              return CloseAllDescriptorsBut({2});
            }),
            Exited(EIO));
}

}  // namespace
}  // namespace sockgate::launch
