#include "tests/bench/rounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace sockgate::bench {
namespace {

using std::chrono::milliseconds;
using ::testing::UnorderedElementsAre;

TEST(RoundsTest, EveryWayHasOneTurnARound) {
  std::vector<size_t> turns;
  size_t rounds = 0;
  const auto turn = [&](size_t way, size_t round) {
    EXPECT_EQ(round, rounds);
    turns.push_back(way);
    return absl::OkStatus();
  };
  const auto end_round = [&] {
    EXPECT_THAT(turns, UnorderedElementsAre(0U, 1U, 2U));
    turns.clear();
    ++rounds;
  };
  ASSERT_TRUE(RunRounds({3, milliseconds(20)}, turn, end_round).ok());
  EXPECT_GE(rounds, 1U);
}

TEST(RoundsTest, ThereIsOneRoundEvenWithoutTime) {
  size_t turns = 0;
  const auto turn = [&](size_t /*way*/, size_t /*round*/) {
    ++turns;
    return absl::OkStatus();
  };
  ASSERT_TRUE(RunRounds({5, milliseconds(0)}, turn, [] {}).ok());
  EXPECT_EQ(turns, 5U);
}

TEST(RoundsTest, StopsAtTheFirstError) {
  size_t turns = 0;
  const auto turn = [&](size_t /*way*/, size_t /*round*/) {
    return ++turns < 2 ? absl::OkStatus() : absl::UnavailableError("the second");
  };
  const absl::Status status =
      RunRounds({5, milliseconds(0)}, turn, [] { ADD_FAILURE() << "the round is not over"; });
  EXPECT_EQ(status.message(), "the second");
  EXPECT_EQ(turns, 2U);
}

TEST(RoundsTest, ARoundMayHaveToLast) {
  const auto begun = std::chrono::steady_clock::now();
  const auto turn = [](size_t /*way*/, size_t /*round*/) { return absl::OkStatus(); };
  ASSERT_TRUE(RunRounds({1, milliseconds(0), milliseconds(30)}, turn, [] {}).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(30));
}

// Or the broker would turn some of them away.
TEST(RoundsTest, NewNamesTakeTheirTime) {
  EXPECT_EQ(LeastRoundFor(0), milliseconds(0));
  EXPECT_GE(LeastRoundFor(4096), milliseconds(1000));
}

}  // namespace
}  // namespace sockgate::bench
