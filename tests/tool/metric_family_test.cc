#include "tool/metric_family.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/tool/exposition.h"

namespace sockgate {
namespace {

using testing::Exposition;
using ::testing::IsEmpty;

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

TEST(MetricFamily, MicrosecondsAreSecondsToTheLastDigit) {
  EXPECT_EQ(SecondsText(0), "0");
  EXPECT_EQ(SecondsText(50), "0.00005");
  EXPECT_EQ(SecondsText(100'000), "0.1");
  EXPECT_EQ(SecondsText(10'000'000), "10");
  EXPECT_EQ(SecondsText(1'500'000), "1.5");
  EXPECT_EQ(SecondsText(kMost), "18446744073709.551615");
}

TEST(MetricFamily, HasHelpTypeAndSamples) {
  MetricFamily family("x_total", "counter", "Things.");
  family.Add(1, {{"a", "b"}, {"c", "d"}});
  family.Add(kMost);
  family.Add(std::nullopt, {{"e", "f"}});
  family.AddFlag(true, {{"flag", "on"}});
  family.AddMicroseconds(20);
  EXPECT_EQ(family.Text(),
            "# HELP x_total Things.\n"
            "# TYPE x_total counter\n"
            "x_total{a=\"b\",c=\"d\"} 1\n"
            "x_total 18446744073709551615\n"
            "x_total{flag=\"on\"} 1\n"
            "x_total 0.00002\n");
}

TEST(MetricFamily, WithoutASampleIsNothing) {
  MetricFamily family("x", "gauge", "Things.");
  family.Add(std::nullopt);
  family.AddFlag(std::nullopt);
  family.AddHistogram(std::nullopt, {});
  EXPECT_EQ(family.Text(), "");
}

TEST(MetricFamily, AHistogramEndsWithAllOfIt) {
  MetricFamily family("x_seconds", "histogram", "Times.");
  family.AddHistogram(LatencyHistogram{7, 1234, {{50, 2}, {1'000'000, 6}}}, {{"role", "r"}});
  EXPECT_EQ(family.Text(),
            "# HELP x_seconds Times.\n"
            "# TYPE x_seconds histogram\n"
            "x_seconds_bucket{role=\"r\",le=\"0.00005\"} 2\n"
            "x_seconds_bucket{role=\"r\",le=\"1\"} 6\n"
            "x_seconds_bucket{role=\"r\",le=\"+Inf\"} 7\n"
            "x_seconds_sum{role=\"r\"} 0.001234\n"
            "x_seconds_count{role=\"r\"} 7\n");
  EXPECT_THAT(Exposition(family.Text()).faults(), IsEmpty());
}

TEST(MetricFamily, AValueOfALabelStaysWithinItsQuotes) {
  MetricFamily family("x", "gauge", "Things.");
  family.Add(1, {{"a", "\"} 2\nx{a=\"\\"}});
  family.Add(1, {{"a", "\033[2J\xff"}});
  EXPECT_EQ(family.Text(),
            "# HELP x Things.\n"
            "# TYPE x gauge\n"
            "x{a=\"\\\"} 2\\\\x0ax{a=\\\"\\\\\"} 1\n"
            "x{a=\"\\\\x1b[2J\\\\xff\"} 1\n");
  EXPECT_THAT(Exposition(family.Text()).faults(), IsEmpty());
}

}  // namespace
}  // namespace sockgate
