#include "proto/check.h"

#include <gtest/gtest.h>

namespace sockgate {
namespace {

TEST(CheckTest, PassesWhatHolds) {
  int evaluated = 0;
  SOCKGATE_CHECK(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, AbortsAndSaysWhereAndWhat) {
  const int three = 3;
  EXPECT_EXIT(SOCKGATE_CHECK(three == 4), ::testing::KilledBySignal(SIGABRT),
              "check_test.cc:[0-9]+: check failed: three == 4");
}

}  // namespace
}  // namespace sockgate
