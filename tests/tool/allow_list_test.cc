#include "tool/allow_list.h"

#include <gtest/gtest.h>

namespace sockgate {
namespace {

TEST(AllowList, NumbersItsRulesFromOneAndKnowsWhereEachCameFrom) {
  AllowList list;
  ASSERT_TRUE(list.Add("192.0.2.0/24:80,443").ok());
  ASSERT_TRUE(list.Add("[2001:db8::/32]:*").ok());
  ASSERT_EQ(list.rules().size(), 2U);
  EXPECT_EQ(list.Source(0), "");
  EXPECT_EQ(list.Source(1), "192.0.2.0/24:80,443");
  EXPECT_EQ(list.Source(2), "[2001:db8::/32]:*");
  EXPECT_EQ(list.Source(3), "");
}

TEST(AllowList, AHostBecomesARuleForEachAddress) {
  AllowList list;
  ASSERT_TRUE(list.Add("localhost:8080").ok());
  ASSERT_GE(list.rules().size(), 1U);
  EXPECT_EQ(list.Source(static_cast<uint32_t>(list.rules().size())), "localhost:8080");
}

TEST(AllowList, ASlipInAnAddressIsNotLookedUpAsAName) {
  for (const char* text : {"1.2.3:80", "1.2.3.4/33:80", "2001:db8::1:80", "[::1:80", "1.2.3.256:80",
                           "[2001:db8::/32:80", "10.0.0.1/8:80"}) {
    AllowList list;
    EXPECT_TRUE(absl::IsInvalidArgument(list.Add(text))) << text;
  }
}

TEST(AllowList, PortsMustBeSaid) {
  AllowList list;
  EXPECT_TRUE(absl::IsInvalidArgument(list.Add("example.com")));
  EXPECT_TRUE(absl::IsInvalidArgument(list.Add("localhost:")));
  EXPECT_TRUE(absl::IsInvalidArgument(list.Add("localhost:http")));
}

}  // namespace
}  // namespace sockgate
