#include "broker/look_budget.h"

#include <gtest/gtest.h>

namespace sockgate {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr TimePoint kBegun = TimePoint() + hours(1);

class LookBudgetTest : public ::testing::Test {
 protected:
  // Looks as often as it may. How many times.
  int LookAll(TimePoint now, nanoseconds each) {
    int looks = 0;
    for (; looks < 100'000 && budget_.HasTime(now); ++looks) budget_.Spend(now, each);
    return looks;
  }

  LookBudget budget_;
};

TEST_F(LookBudgetTest, SoMuchAtOnce) {
  EXPECT_EQ(LookAll(kBegun, microseconds(20)), 500);
  EXPECT_EQ(LookAll(kBegun, microseconds(20)), 0);
  EXPECT_EQ(budget_.looks(), 500U);
}

TEST_F(LookBudgetTest, FivePercentOfTheTimeFromThenOn) {
  LookAll(kBegun, milliseconds(1));
  int looks = 0;
  for (int ms = 1; ms <= 10'000; ++ms) {
    looks += LookAll(kBegun + milliseconds(ms), milliseconds(1));
  }
  EXPECT_EQ(looks, 500);
}

// What was not used in an hour is not there to be used at once.
TEST_F(LookBudgetTest, NothingIsSaved) {
  LookAll(kBegun, milliseconds(1));
  EXPECT_EQ(LookAll(kBegun + hours(1), milliseconds(1)), 10);
}

TEST_F(LookBudgetTest, ALongLookIsPaidForAfterwards) {
  EXPECT_EQ(LookAll(kBegun, milliseconds(40)), 1);
  EXPECT_FALSE(budget_.HasTime(kBegun + milliseconds(600)));
  EXPECT_TRUE(budget_.HasTime(kBegun + milliseconds(601)));
}

TEST_F(LookBudgetTest, ABrokerThatWasHeldUpForAnHourDoesNotPayForADay) {
  EXPECT_EQ(LookAll(kBegun, hours(1)), 1);
  EXPECT_TRUE(budget_.HasTime(kBegun + seconds(1)));
}

}  // namespace
}  // namespace sockgate
