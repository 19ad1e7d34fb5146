#include "tests/support/process_stats.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <thread>

#include "proto/unique_fd.h"

namespace sockgate::testing {
namespace {

TEST(ProcessStatsTest, CountsDescriptorsOfItself) {
  const auto before = OpenFdCount(getpid());
  ASSERT_TRUE(before.ok()) << before.status();
  const UniqueFd one(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd two(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(*OpenFdCount(getpid()), *before + 2);
}

TEST(ProcessStatsTest, ListsChildren) {
  EXPECT_TRUE(ChildrenOf(getpid()).empty());
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  EXPECT_EQ(ChildrenOf(getpid()), std::vector<pid_t>{child});
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(ChildrenOf(getpid()).empty());
}

TEST(ProcessStatsTest, CountsDescriptorsOfAnother) {
  const UniqueFd extra(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto own = OpenFdCount(getpid());
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const auto others = OpenFdCount(child);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(others.ok()) << others.status();
  EXPECT_EQ(*others, *own);
  EXPECT_TRUE(absl::IsNotFound(OpenFdCount(child).status()));
  EXPECT_TRUE(absl::IsNotFound(ResidentBytes(child).status()));
}

TEST(ProcessStatsTest, SeesMemoryComeAndGo) {
  constexpr size_t kSize = 32 << 20;
  constexpr size_t kSlack = 4 << 20;
  const auto before = ResidentBytes(getpid());
  ASSERT_TRUE(before.ok()) << before.status();
  void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  memset(memory, 1, kSize);
  EXPECT_GE(*ResidentBytes(getpid()), *before + kSize - kSlack);
  munmap(memory, kSize);
  EXPECT_LE(*ResidentBytes(getpid()), *before + kSlack);
}

TEST(ProcessStatsTest, CountsThreads) {
  std::thread([] {}).join();  // ThreadSanitizer starts its own thread along with the first
  const auto before = ThreadCount(getpid());
  ASSERT_TRUE(before.ok()) << before.status();
  std::atomic<bool> stop{false};
  std::thread thread([&stop] {
    while (!stop) usleep(1000);
  });
  EXPECT_EQ(*ThreadCount(getpid()), *before + 1);
  stop = true;
  thread.join();
}

TEST(ProcessStatsTest, SeesWorkAsProcessorTime) {
  const auto before = CpuTime(getpid());
  ASSERT_TRUE(before.ok()) << before.status();
  const auto used = [&] { return *CpuTime(getpid()) - *before; };
  while (used() < std::chrono::milliseconds(20)) {
  }
  usleep(50'000);
  EXPECT_LT(used(), std::chrono::milliseconds(50));
}

TEST(ProcessStatsTest, CountsWakeUps) {
  const auto before = WakeUps(getpid());
  ASSERT_TRUE(before.ok()) << before.status();
  for (int i = 0; i < 20; ++i) usleep(1000);
  EXPECT_GE(*WakeUps(getpid()), *before + 20);
  EXPECT_LT(*WakeUps(getpid()), *before + 40);
}

TEST(ProcessStatsTest, SaysWhenTheProcessHasGone) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(CpuTime(child).ok());
  EXPECT_FALSE(WakeUps(child).ok());
}

}  // namespace
}  // namespace sockgate::testing
