// The clocks that a program reads are those that it was told, and no others.

#include "tests/support/clock_shift.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace sockgate::testing {
namespace {

using std::chrono::hours;
using Steady = std::chrono::steady_clock;
using System = std::chrono::system_clock;

TEST(ClockShift, TheSteadyClockGoesFurtherAndStays) {
  const auto before = Steady::now();
  AdvanceSteadyClock(hours(1));
  AdvanceSteadyClock(hours(2));
  EXPECT_GE(Steady::now() - before, hours(3));
  EXPECT_LT(Steady::now() - before, hours(4));
}

TEST(ClockShift, RealTimeGoesBothWays) {
  const auto before = System::now();
  ShiftRealTime(hours(24));
  EXPECT_GT(System::now() - before, hours(23));
  ShiftRealTime(-hours(24));
  EXPECT_LT(System::now() - before, -hours(23));
  ShiftRealTime(hours(0));
  EXPECT_LT(System::now() - before, hours(1));
}

TEST(ClockShift, OneIsNotTheOther) {
  const auto steady = Steady::now();
  const auto real = System::now();
  ShiftRealTime(hours(24));
  EXPECT_LT(Steady::now() - steady, hours(1));
  ShiftRealTime(hours(0));
  AdvanceSteadyClock(hours(24));
  EXPECT_LT(System::now() - real, hours(1));
}

// The last, for it goes on no more.
TEST(ClockShift, TheSteadyClockStops) {
  StopSteadyClock();
  const auto before = Steady::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(Steady::now(), before);
  AdvanceSteadyClock(std::chrono::milliseconds(5));
  EXPECT_EQ(Steady::now() - before, std::chrono::milliseconds(5));
}

}  // namespace
}  // namespace sockgate::testing
