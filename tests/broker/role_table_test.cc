#include "broker/role_table.h"

#include <gtest/gtest.h>

namespace sockgate {
namespace {

Role Named(const std::string& name) {
  Role role;
  role.name = name;
  return role;
}

TEST(RoleTableTest, FindsByName) {
  const auto table = RoleTable::Make({Named("b"), Named("a")});
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->Find("a")->name, "a");
  EXPECT_EQ(table->Find("b")->name, "b");
  EXPECT_EQ(table->Find("c"), nullptr);
  EXPECT_EQ(table->Find(""), nullptr);
}

TEST(RoleTableTest, ARoleThatIsGoneDeniesEverythingAndSaysWhy) {
  Limits limits;
  limits.max_pending = 3;
  const RoleSnapshot role = RoleTable::Removed("fetch", limits);
  EXPECT_EQ(role->name, "fetch");
  EXPECT_EQ(role->limits.max_pending, 3U);
  for (const Endpoint& endpoint :
       {Endpoint::Ip(*IpAddress::Parse("192.0.2.1"), 443),
        Endpoint::Ip(*IpAddress::Parse("2001:db8::1"), 443), *Endpoint::Unix("/run/x")}) {
    const Verdict verdict = role->policy.Decide(endpoint, Transport::kStream);
    EXPECT_EQ(verdict.decision, Decision::kDeny);
    EXPECT_EQ(verdict.reason, Reason::kRoleRemoved);
  }
}

}  // namespace
}  // namespace sockgate
