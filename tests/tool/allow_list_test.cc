#include "tool/allow_list.h"

#include <gtest/gtest.h>

namespace sockgate {
namespace {

TEST(AllowList, NumbersItsRulesFromOneAndKnowsWhereEachCameFrom) {
  HostTable hosts;
  AllowList list(&hosts);
  ASSERT_TRUE(list.Add("192.0.2.0/24:80,443").ok());
  ASSERT_TRUE(list.Add("[2001:db8::/32]:*").ok());
  ASSERT_EQ(list.rules().size(), 2U);
  EXPECT_EQ(list.Source(0), "");
  EXPECT_EQ(list.Source(1), "192.0.2.0/24:80,443");
  EXPECT_EQ(list.Source(2), "[2001:db8::/32]:*");
  EXPECT_EQ(list.Source(3), "");
}

TEST(AllowList, AHostBecomesARuleForEachAddress) {
  HostTable hosts;
  AllowList list(&hosts);
  ASSERT_TRUE(list.Add("localhost:8080").ok());
  ASSERT_GE(list.rules().size(), 1U);
  EXPECT_EQ(list.Source(static_cast<uint32_t>(list.rules().size())), "localhost:8080");
}

TEST(AllowList, ASlipInAnAddressIsNotLookedUpAsAName) {
  for (const char* text : {"1.2.3:80", "1.2.3.4/33:80", "2001:db8::1:80", "[::1:80", "1.2.3.256:80",
                           "[2001:db8::/32:80", "10.0.0.1/8:80"}) {
    HostTable hosts;
    AllowList list(&hosts);
    EXPECT_TRUE(absl::IsInvalidArgument(list.Add(text))) << text;
  }
}

TEST(AllowList, PortsMustBeSaid) {
  HostTable hosts;
  AllowList list(&hosts);
  EXPECT_TRUE(absl::IsInvalidArgument(list.Add("example.com")));
  EXPECT_TRUE(absl::IsInvalidArgument(list.Add("localhost:")));
  EXPECT_TRUE(absl::IsInvalidArgument(list.Add("localhost:http")));
}

TEST(HostTable, HasAnEntryForEachHostAndPort) {
  HostTable hosts;
  ASSERT_TRUE(hosts.LookUp("localhost").ok());
  const std::vector<std::string> entries = hosts.ResolveEntries({80, 8080});
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].substr(0, 13), "localhost:80:");
  EXPECT_EQ(entries[1].substr(0, 15), "localhost:8080:");
}

TEST(HostTable, ANameThatDoesNotExistIsNamed) {
  HostTable hosts;
  const auto answer = hosts.LookUp("no-such-host.invalid");
  EXPECT_TRUE(absl::IsNotFound(answer.status()));
  EXPECT_NE(answer.status().message().find("'no-such-host.invalid'"), std::string::npos);
}

}  // namespace
}  // namespace sockgate
