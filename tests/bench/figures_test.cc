#include "tests/bench/figures.h"

#include <gtest/gtest.h>

namespace sockgate::bench {
namespace {

TEST(FiguresTest, TakesPercentilesByTheNearestRank) {
  std::vector<double> sample;
  for (int i = 200; i >= 1; --i) sample.push_back(i);
  const Percentiles percentiles = PercentilesOf(sample);
  EXPECT_EQ(percentiles.p50, 100);
  EXPECT_EQ(percentiles.p90, 180);
  EXPECT_EQ(percentiles.p99, 198);
}

TEST(FiguresTest, TakesTheOnlyValueForAllPercentiles) {
  const Percentiles percentiles = PercentilesOf({7});
  EXPECT_EQ(percentiles.p50, 7);
  EXPECT_EQ(percentiles.p90, 7);
  EXPECT_EQ(percentiles.p99, 7);
}

TEST(FiguresTest, ShowsTheExtremesBesideTheMedian) {
  const Spread spread = SpreadOf({3, 1, 2, 9, 4});
  EXPECT_EQ(spread.median, 3);
  EXPECT_EQ(spread.min, 1);
  EXPECT_EQ(spread.max, 9);
}

TEST(FiguresTest, GivesZerosForNothing) {
  EXPECT_EQ(MedianOf({}), 0);
  EXPECT_EQ(PercentilesOf({}).p99, 0);
  EXPECT_EQ(SpreadOf({}).max, 0);
}

TEST(FiguresTest, RatiosAreByRound) {
  EXPECT_EQ(RatiosOf({6, 2}, {3, 4}), (std::vector<double>{2, 0.5}));
  EXPECT_TRUE(RatiosOf({}, {}).empty());
}

}  // namespace
}  // namespace sockgate::bench
