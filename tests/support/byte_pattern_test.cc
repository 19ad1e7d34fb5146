#include "tests/support/byte_pattern.h"

#include <gtest/gtest.h>

namespace sockgate::testing {
namespace {

TEST(BytePatternTest, SlicesAgreeWithTheWhole) {
  const std::string whole = PatternBytes(600000);
  std::string pieced;
  while (pieced.size() < whole.size()) {
    const absl::string_view slice = PatternSlice(pieced.size(), whole.size() - pieced.size());
    ASSERT_FALSE(slice.empty());
    pieced.append(slice.data(), slice.size());
  }
  EXPECT_TRUE(pieced == whole);
}

TEST(BytePatternTest, SlicesObeyTheirLimitAtAnyOffset) {
  EXPECT_TRUE(PatternSlice(12345, 0).empty());
  for (uint64_t offset = 0; offset < 2 * kPatternPeriod; ++offset) {
    EXPECT_EQ(PatternSlice(offset, 1).front(), PatternByte(offset));
    EXPECT_GE(PatternSlice(offset, uint64_t{1} << 40).size(), 64U << 10);
  }
}

}  // namespace
}  // namespace sockgate::testing
