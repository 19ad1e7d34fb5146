#include "tool/latency_histogram.h"

#include <gtest/gtest.h>

namespace sockgate {
namespace {

const LatencyHistogram kTimes = {100, 5000, {{100, 50}, {200, 90}, {1000, 99}}};

std::string At(const LatencyHistogram& times, double share) { return QuantileText(times, share); }

TEST(LatencyHistogram, WithinABucketTimesAreSpreadEvenly) {
  EXPECT_EQ(At(kTimes, 0.25), "50us");
  EXPECT_EQ(At(kTimes, 0.5), "100us");
  EXPECT_EQ(At(kTimes, 0.7), "150us");
  EXPECT_EQ(At(kTimes, 0.99), "1.0ms");
}

TEST(LatencyHistogram, BeyondTheLastBoundThatBoundIsKnown) {
  EXPECT_EQ(At(kTimes, 0.995), ">1.0ms");
  EXPECT_EQ(At({5, 0, {{10, 0}}}, 0.5), ">10us");
}

TEST(LatencyHistogram, EmptyBucketsAreNobodysTime) {
  EXPECT_EQ(At({10, 0, {{100, 0}, {200, 0}, {300, 10}}}, 0.0001), "200us");
}

TEST(LatencyHistogram, OfNothingThereIsNoTime) {
  EXPECT_EQ(At({0, 0, {{100, 0}}}, 0.5), "-");
  EXPECT_EQ(At({10, 0, {}}, 0.5), "-");
  EXPECT_EQ(QuantileText(std::nullopt, 0.5), "-");
}

TEST(LatencyHistogram, TellsSenseFromNonsense) {
  EXPECT_TRUE(kTimes.MakesSense());
  EXPECT_TRUE((LatencyHistogram{5, 0, {}}.MakesSense()));
  EXPECT_FALSE((LatencyHistogram{9, 0, {{10, 5}, {10, 6}}}.MakesSense()));
  EXPECT_FALSE((LatencyHistogram{9, 0, {{10, 5}, {20, 4}}}.MakesSense()));
  EXPECT_FALSE((LatencyHistogram{9, 0, {{10, 10}}}.MakesSense()));
}

TEST(LatencyHistogram, WhatCameSinceIsTheDifference) {
  const LatencyHistogram later = {110, 9000, {{100, 50}, {200, 98}, {1000, 108}}};
  const auto since = later.Since(kTimes);
  ASSERT_TRUE(since.has_value());
  EXPECT_EQ(since->count, 10U);
  EXPECT_EQ(since->sum_us, 4000U);
  EXPECT_EQ(At(*since, 0.5), "162us");
}

TEST(LatencyHistogram, ABoundThatWasNotThereHadNoTimesOfItsOwn) {
  const LatencyHistogram later = {110, 9000, {{100, 50}, {150, 60}, {200, 100}, {1000, 109}}};
  const auto since = later.Since(kTimes);
  ASSERT_TRUE(since.has_value());
  EXPECT_EQ(since->buckets[1].count, 10U);
  EXPECT_EQ(since->buckets[2].count, 10U);
}

TEST(LatencyHistogram, OneThatWentBackIsOfAnotherBroker) {
  EXPECT_FALSE(kTimes.Since({101, 0, {}}).has_value());
  EXPECT_FALSE(kTimes.Since({100, 5001, {}}).has_value());
  EXPECT_FALSE(kTimes.Since({100, 0, {{100, 51}}}).has_value());
  // The difference of these two makes no sense, though each of them does.
  EXPECT_FALSE((LatencyHistogram{10, 0, {{1, 5}, {2, 5}}}.Since({9, 0, {{1, 0}, {2, 5}}})));
}

}  // namespace
}  // namespace sockgate
