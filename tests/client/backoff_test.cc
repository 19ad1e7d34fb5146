#include "client/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace sockgate {
namespace {

using std::chrono::milliseconds;

TEST(BackoffTest, EachPauseIsAboutTwiceAsLongUpToTheLongest) {
  Backoff backoff(1);
  milliseconds step = Backoff::kShortest;
  for (int i = 0; i < 20; ++i) {
    const milliseconds pause = backoff.Next();
    EXPECT_GE(pause, step);
    EXPECT_LE(pause, 2 * step);
    step = std::min(2 * step, Backoff::kLongest / 2);
  }
  EXPECT_EQ(step, Backoff::kLongest / 2);
}

TEST(BackoffTest, AfterSuccessItBeginsAnew) {
  Backoff backoff(1);
  for (int i = 0; i < 20; ++i) backoff.Next();
  backoff.Reset();
  EXPECT_LE(backoff.Next(), 2 * Backoff::kShortest);
}

TEST(BackoffTest, WorkersDoNotPauseAlike) {
  std::set<int64_t> pauses;
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    Backoff backoff(seed);
    for (int i = 0; i < 6; ++i) backoff.Next();
    pauses.insert(backoff.Next().count());
  }
  EXPECT_GT(pauses.size(), 10U);
}

}  // namespace
}  // namespace sockgate
