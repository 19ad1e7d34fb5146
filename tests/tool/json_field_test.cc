#include "tool/json_field.h"

#include <gtest/gtest.h>

namespace sockgate {
namespace {

using nlohmann::json;

constexpr uint64_t kMost = 18446744073709551615U;

std::optional<uint64_t> Count(const char* text) { return CountIn(json::parse(text)); }

TEST(JsonField, CountsAreWholeNumbersFromZero) {
  EXPECT_EQ(Count("0"), 0U);
  EXPECT_EQ(CountIn(json(7)), 7U);  // signed
  EXPECT_EQ(Count("18446744073709551615"), kMost);
  EXPECT_EQ(Count("1.9"), 1U);
  for (const char* none : {"-1", "-0.5", "\"1\"", "null", "true", "[]", "{}"}) {
    EXPECT_EQ(Count(none), std::nullopt) << none;
  }
}

TEST(JsonField, BeyondSixtyFourBitsIsTheHighestCount) {
  for (const char* many : {"18446744073709551616", "99999999999999999999999", "1e300"}) {
    EXPECT_EQ(Count(many), kMost) << many;
  }
}

TEST(JsonField, WhatIsMissingOrOfAnotherKindIsNothing) {
  const json object = json::parse(R"({"a": 1, "b": true, "c": "x"})");
  EXPECT_EQ(CountOf(object, "a"), 1U);
  EXPECT_EQ(FlagOf(object, "b"), true);
  EXPECT_EQ(TextOf(object, "c"), "x");
  EXPECT_EQ(CountOf(object, "d"), std::nullopt);
  EXPECT_EQ(FlagOf(object, "a"), std::nullopt);
  EXPECT_EQ(TextOf(object, "a"), "");
  EXPECT_TRUE(FieldOf(object, "d").is_null());
}

TEST(JsonField, WhatIsNoObjectHasNoFields) {
  for (const char* other : {"null", "1", "[1]", "\"a\"", "true"}) {
    EXPECT_EQ(CountOf(json::parse(other), "a"), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace sockgate
