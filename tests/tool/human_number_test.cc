#include "tool/human_number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sockgate {
namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

TEST(HumanNumber, CountsHaveTwoOrThreeDigits) {
  EXPECT_EQ(HumanCount(0), "0");
  EXPECT_EQ(HumanCount(999), "999");
  EXPECT_EQ(HumanCount(1000), "1.0k");
  EXPECT_EQ(HumanCount(1234), "1.2k");
  EXPECT_EQ(HumanCount(9949), "9.9k");
  EXPECT_EQ(HumanCount(9950), "10k");
  EXPECT_EQ(HumanCount(123'456), "123k");
  EXPECT_EQ(HumanCount(3'400'000), "3.4M");
  EXPECT_EQ(HumanCount(kMost), "18E");
}

TEST(HumanNumber, RoundingDoesNotMakeAFourthDigit) {
  EXPECT_EQ(HumanCount(999'499), "999k");
  EXPECT_EQ(HumanCount(999'500), "1.0M");
  EXPECT_EQ(HumanBytes(uint64_t{1024} * 1024 - 1), "1.0 MiB");
}

TEST(HumanNumber, RatesBelowTenHaveADecimal) {
  EXPECT_EQ(HumanRate(0), "0");
  EXPECT_EQ(HumanRate(0.01), "<0.1");
  EXPECT_EQ(HumanRate(0.5), "0.5");
  EXPECT_EQ(HumanRate(9.94), "9.9");
  EXPECT_EQ(HumanRate(9.96), "10");
  EXPECT_EQ(HumanRate(1234), "1.2k");
  EXPECT_EQ(HumanRate(-1), "0");
}

TEST(HumanNumber, ARateBeyondAllCountsIsStillOne) {
  EXPECT_EQ(HumanRate(1e30), "18E");
  EXPECT_EQ(HumanRate(std::numeric_limits<double>::infinity()), "18E");
  EXPECT_EQ(HumanRate(std::nan("")), "0");
}

TEST(HumanNumber, Bytes) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(uint64_t{20} * 1024 * 1024), "20 MiB");
  EXPECT_EQ(HumanBytes(kMost), "16 EiB");
}

TEST(HumanNumber, Times) {
  EXPECT_EQ(HumanMicroseconds(850), "850us");
  EXPECT_EQ(HumanMicroseconds(1234), "1.2ms");
  EXPECT_EQ(HumanMicroseconds(12'345), "12ms");
  EXPECT_EQ(HumanMicroseconds(59'999'999), "60s");
  EXPECT_EQ(HumanMicroseconds(60'000'000), "1m 0s");
  EXPECT_EQ(HumanSeconds(0), "0s");
  EXPECT_EQ(HumanSeconds(59), "59s");
  EXPECT_EQ(HumanSeconds(303), "5m 3s");
  EXPECT_EQ(HumanSeconds(3 * 3600 + 4 * 60 + 59), "3h 4m");
  EXPECT_EQ(HumanSeconds(2 * 86400 + 5 * 3600), "2d 5h");
  EXPECT_EQ(HumanSeconds(kMost), "214Td 7h");
}

}  // namespace
}  // namespace sockgate
