#include "broker/broker_usage.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <vector>

namespace sockgate {
namespace {

size_t g_bytes = 0;
int g_looks = 0;

size_t FakeGauge() {
  ++g_looks;
  return g_bytes;
}

constexpr size_t kMib = size_t{1} << 20;
const TimePoint kStart = TimePoint() + std::chrono::hours(1);

TEST(BrokerUsageTest, ARoleKeepsItsPlace) {
  BrokerUsage usage;
  RoleUsage* fetch = usage.OfRole("fetch");
  EXPECT_NE(usage.OfRole("other"), fetch);
  EXPECT_EQ(usage.OfRole("fetch"), fetch);
}

TEST(BrokerUsageTest, AQuarterOfTheDescriptorsIsLeftForSockets) {
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  BrokerUsage usage;
  usage.SetLimits({0, 0});
  usage.channels = static_cast<uint32_t>(limit.rlim_cur / 4 * 3) - 1;
  EXPECT_EQ(usage.WhyNoChannel(kStart), Reason::kNone);
  ++usage.channels;
  EXPECT_EQ(usage.WhyNoChannel(kStart), Reason::kDescriptors);
}

TEST(BrokerUsageTest, ANumberOfChannelsThatWasSetHolds) {
  BrokerUsage usage;
  usage.SetLimits({5, 0});
  usage.CountDescriptors();
  usage.channels = 4;
  EXPECT_EQ(usage.WhyNoChannel(kStart), Reason::kNone);
  usage.channels = 5;
  EXPECT_EQ(usage.WhyNoChannel(kStart), Reason::kDescriptors);
}

TEST(BrokerUsageTest, MemoryIsLookedAtOnceASecond) {
  BrokerUsage usage(FakeGauge);
  usage.SetLimits({0, 10});
  g_looks = 0;
  g_bytes = 10 * kMib - 1;
  EXPECT_EQ(usage.WhyNoMemory(kStart), Reason::kNone);
  g_bytes = 10 * kMib;
  EXPECT_EQ(usage.WhyNoMemory(kStart + std::chrono::milliseconds(999)), Reason::kNone);
  EXPECT_EQ(g_looks, 1);
  EXPECT_EQ(usage.WhyNoMemory(kStart + std::chrono::milliseconds(1000)), Reason::kMemory);
  EXPECT_EQ(usage.WhyNoChannel(kStart + std::chrono::milliseconds(1001)), Reason::kMemory);
  EXPECT_EQ(g_looks, 2);
  g_bytes = 0;
  EXPECT_EQ(usage.WhyNoMemory(kStart + std::chrono::seconds(2)), Reason::kNone);
}

TEST(BrokerUsageTest, WithoutABoundNobodyLooks) {
  BrokerUsage usage(FakeGauge);
  usage.SetLimits({0, 0});
  g_looks = 0;
  g_bytes = SIZE_MAX;
  EXPECT_EQ(usage.WhyNoMemory(kStart), Reason::kNone);
  EXPECT_EQ(g_looks, 0);
}

TEST(BrokerUsageTest, TheGaugeSeesWhatIsAllocated) {
  const size_t before = BrokerUsage::AllocatedBytes();
  if (before == 0) GTEST_SKIP() << "a sanitizer's allocator does not say";
  std::vector<std::vector<char>> blocks;
  for (int i = 0; i < 4096; ++i) blocks.emplace_back(1024, 'x');
  EXPECT_GE(BrokerUsage::AllocatedBytes(), before + 4 * kMib);
}

}  // namespace
}  // namespace sockgate
