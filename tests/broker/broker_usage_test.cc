#include "broker/broker_usage.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
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

void Keep(RoleUsage* role, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) role->KeepDescriptor();
}

TEST(BrokerUsageTest, AQuarterOfTheDescriptorsIsLeftForSockets) {
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const auto most = static_cast<uint32_t>(std::min<rlim_t>(limit.rlim_cur, UINT32_MAX) / 4 * 3);
  BrokerUsage usage;
  usage.SetLimits({0, 0});
  RoleUsage* role = usage.OfRole("fetch");
  Keep(role, most - 1);
  EXPECT_EQ(usage.WhyNoChannel(kStart), Reason::kNone);
  Keep(role, 1);
  EXPECT_EQ(usage.WhyNoChannel(kStart), Reason::kDescriptors);
  EXPECT_EQ(usage.OfRole("other")->WhyNoConnection({}), Reason::kDescriptors);
  role->ReturnDescriptor();
  EXPECT_EQ(usage.WhyNoChannel(kStart), Reason::kNone);
}

TEST(BrokerUsageTest, ANumberOfDescriptorsThatWasSetHolds) {
  BrokerUsage usage;
  usage.SetLimits({5, 0});
  usage.CountDescriptors();
  Keep(usage.OfRole("fetch"), 4);
  EXPECT_EQ(usage.WhyNoChannel(kStart), Reason::kNone);
  Keep(usage.OfRole("other"), 1);
  EXPECT_EQ(usage.WhyNoChannel(kStart), Reason::kDescriptors);
}

TEST(BrokerUsageTest, MemoryIsLookedAtOnceASecondAndCloselyOnlyWhereItMayBeTooMuch) {
  size_t resident = 10 * kMib - 1;
  BrokerUsage usage({[&] { return resident; }, FakeGauge});
  usage.SetLimits({0, 10});
  g_looks = 0;
  g_bytes = 10 * kMib;
  EXPECT_EQ(usage.WhyNoMemory(kStart), Reason::kNone);
  EXPECT_EQ(g_looks, 0);
  resident = 10 * kMib;
  EXPECT_EQ(usage.WhyNoMemory(kStart + std::chrono::milliseconds(999)), Reason::kNone);
  EXPECT_EQ(usage.WhyNoMemory(kStart + std::chrono::milliseconds(1000)), Reason::kMemory);
  EXPECT_EQ(usage.WhyNoChannel(kStart + std::chrono::seconds(10)), Reason::kMemory);
  EXPECT_EQ(g_looks, 1);
  g_bytes = 0;
  EXPECT_EQ(usage.WhyNoMemory(kStart + std::chrono::seconds(11)), Reason::kNone)
      << "it is free, though still resident";
}

TEST(BrokerUsageTest, WithoutABoundNobodyLooks) {
  BrokerUsage usage({FakeGauge, FakeGauge});
  usage.SetLimits({0, 0});
  g_looks = 0;
  g_bytes = SIZE_MAX;
  EXPECT_EQ(usage.WhyNoMemory(kStart), Reason::kNone);
  EXPECT_EQ(g_looks, 0);
}

TEST(BrokerUsageTest, TheGaugeSeesWhatIsAllocated) {
  const size_t before = AllocatedBytes();
  if (before == 0) GTEST_SKIP() << "a sanitizer's allocator does not say";
  std::vector<std::vector<char>> blocks;
  for (int i = 0; i < 4096; ++i) blocks.emplace_back(1024, 'x');
  EXPECT_GE(AllocatedBytes(), before + 4 * kMib);
}

}  // namespace
}  // namespace sockgate
