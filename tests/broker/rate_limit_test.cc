#include "broker/rate_limit.h"

#include <gtest/gtest.h>

#include <chrono>

#include "broker/policy/role.h"

namespace sockgate {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class RateLimitTest : public ::testing::Test {
 protected:
  static Limits Rate(uint32_t per_second, uint32_t burst) {
    Limits limits;
    limits.connects_per_second = per_second;
    limits.connect_burst = burst;
    return limits;
  }

  uint32_t Take(nanoseconds at) {
    return limit_.Take(limits_.connects_per_second, limits_.connect_burst, begun_ + at);
  }

  // How many there are at once.
  int TakeAll(nanoseconds at) {
    int taken = 0;
    while (taken < 100'000 && Take(at) == 0) ++taken;
    return taken;
  }

  const TimePoint begun_ = TimePoint() + hours(1);
  Limits limits_ = Rate(10, 3);
  RateLimit limit_;
};

TEST_F(RateLimitTest, NoRateIsNoLimit) {
  limits_ = Limits();
  EXPECT_EQ(TakeAll(seconds(0)), 100'000);
}

TEST_F(RateLimitTest, BeginsWithTheBurst) {
  EXPECT_EQ(TakeAll(seconds(0)), 3);
  EXPECT_EQ(Take(seconds(0)), 100U) << "a tenth of a second for the next";
}

TEST_F(RateLimitTest, SaysHowLongUntilThereIsOne) {
  TakeAll(seconds(0));
  EXPECT_EQ(Take(milliseconds(40)), 60U);
  EXPECT_EQ(Take(milliseconds(99)), 1U);
  EXPECT_EQ(Take(microseconds(99'999)), 1U) << "never 0, which means yes";
  EXPECT_EQ(Take(milliseconds(100)), 0U);
  EXPECT_EQ(Take(milliseconds(100)), 100U);
}

TEST_F(RateLimitTest, WhoeverWaitsAsLongAsToldGetsOne) {
  for (const uint32_t rate : {1U, 3U, 7U, 999U, 1'000'000U, UINT32_MAX}) {
    limits_ = Rate(rate, 1);
    limit_ = RateLimit();
    nanoseconds at(0);
    ASSERT_EQ(Take(at), 0U);
    for (int i = 0; i < 1000; ++i) {
      const uint32_t wait_ms = Take(at);
      ASSERT_GE(wait_ms, 1U);
      at += milliseconds(wait_ms);
      ASSERT_EQ(Take(at), 0U) << rate;
    }
  }
}

TEST_F(RateLimitTest, AskingInVainCostsNothing) {
  TakeAll(seconds(0));
  for (int i = 0; i < 100; ++i) Take(milliseconds(i));
  EXPECT_EQ(TakeAll(milliseconds(300)), 3);
}

TEST_F(RateLimitTest, ManySmallStepsAddUpToTheRateExactly) {
  limits_ = Rate(7, 1);
  int taken = 0;
  for (int ms = 0; ms < 100'000; ++ms) taken += Take(milliseconds(ms)) == 0 ? 1 : 0;
  EXPECT_GE(taken, 700 - 7) << "some of a millisecond is lost for each";
  EXPECT_LE(taken, 700);
}

TEST_F(RateLimitTest, NeverHoldsMoreThanTheBurst) {
  TakeAll(seconds(0));
  EXPECT_EQ(TakeAll(hours(24 * 365 * 100)), 3);
  limits_ = Rate(UINT32_MAX, UINT32_MAX);
  EXPECT_EQ(TakeAll(hours(24 * 365 * 200)), 100'000) << "no overflow";
}

TEST_F(RateLimitTest, ANewRateKeepsTheLevel) {
  TakeAll(seconds(0));
  limits_ = Rate(1000, 3);
  EXPECT_EQ(Take(seconds(0)), 1U);
  EXPECT_EQ(Take(milliseconds(1)), 0U);
}

TEST_F(RateLimitTest, ANewBurstCutsTheLevelOrLeavesIt) {
  EXPECT_EQ(Take(seconds(0)), 0U);
  limits_ = Rate(10, 1);
  EXPECT_EQ(TakeAll(seconds(0)), 1);
  limits_ = Rate(10, 50);
  EXPECT_EQ(TakeAll(seconds(0)), 0) << "no more than there was";
  EXPECT_EQ(TakeAll(seconds(60)), 50);
}

TEST_F(RateLimitTest, ARateThatGoesAndComesBack) {
  TakeAll(seconds(0));
  limits_ = Limits();
  EXPECT_EQ(Take(seconds(0)), 0U);
  limits_ = Rate(10, 3);
  EXPECT_EQ(Take(milliseconds(50)), 50U);
}

TEST_F(RateLimitTest, ABurstOfNothingIsOne) {
  limits_ = Rate(10, 0);
  EXPECT_EQ(TakeAll(seconds(0)), 1);
}

// Several threads read their clocks before they ask for the same bucket.
TEST(RateLimitClockTest, AClockThatWasReadBeforeGivesNothing) {
  RateLimit limit;
  const TimePoint now = TimePoint() + std::chrono::hours(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(limit.Take(1, 100, now), 0U);
  EXPECT_GT(limit.Take(1, 100, now - std::chrono::nanoseconds(1)), 0U);
  EXPECT_GT(limit.Take(1, 100, now), 0U);
}

TEST(RateLimitClockTest, WhatIsGivenBackCanBeTaken) {
  RateLimit limit;
  const TimePoint now = TimePoint() + std::chrono::hours(1);
  EXPECT_EQ(limit.Take(1, 1, now), 0U);
  limit.GiveBack();
  EXPECT_EQ(limit.Take(1, 1, now), 0U);
  EXPECT_GT(limit.Take(1, 1, now), 0U);
}

}  // namespace
}  // namespace sockgate
