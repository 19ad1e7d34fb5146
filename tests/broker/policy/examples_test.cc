// The policies that operators begin with: clean, and they do what their comments say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/broker/policy/load_policy.h"
#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

using ::testing::IsEmpty;

// Its only role; the file stays loaded for as long as the tests run.
const Policy& Example(const std::string& name) {
  static auto* const kept = new std::vector<std::unique_ptr<LoadedPolicy>>();
  kept->push_back(
      std::make_unique<LoadedPolicy>(LoadPolicyFile("broker/policy/examples/" + name + ".toml")));
  EXPECT_EQ(kept->back()->policy.value().listen.front().role, name);
  return RoleOf(*kept->back(), name).policy;
}

TEST(ExamplesTest, AreClean) {
  for (const char* name : {"safe_fetcher", "crawler", "internal_service"}) {
    const auto loaded = LoadPolicyFile(absl::StrCat("broker/policy/examples/", name, ".toml"));
    EXPECT_TRUE(loaded.policy.has_value()) << name;
    for (const std::string& said : InWords(loaded)) {
      // How the tree was checked out, not what the file says.
      EXPECT_THAT(said, ::testing::HasSubstr("chmod go-w")) << name;
    }
  }
}

TEST(ExamplesTest, TheSafeFetcherReachesThePublicWebOnly) {
  const Policy& policy = Example("safe_fetcher");
  EXPECT_EQ(InWords(policy.DecideName(Name("www.example.com"))), "allow 1 none");
  EXPECT_EQ(Said(policy, At("93.184.216.34", 443)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("2606:4700::1111", 80)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("93.184.216.34", 22)), "deny 0 no-rule-matches");
  EXPECT_EQ(SaidOfUdp(policy, At("93.184.216.34", 443)), "deny 0 transport");
}

TEST(ExamplesTest, TheSafeFetcherIsNoWayIntoItsOwnNetwork) {
  const Policy& policy = Example("safe_fetcher");
  for (const char* address : {"10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "fd00::1",
                              "fe80::1", "64:ff9b::a00:1", "2002:a00:1::"}) {
    EXPECT_EQ(Said(policy, At(address, 80), {"rebound.example"}), "deny 0 special-purpose-address")
        << address;
  }
  EXPECT_EQ(Said(policy, At("127.0.0.1", 80)), "deny 0 own-address");
  EXPECT_EQ(Said(policy, At("::1", 80)), "deny 0 own-address");
  EXPECT_EQ(Said(policy, At("0.0.0.0", 80)), "deny 0 unspecified-address");
  EXPECT_EQ(Said(policy, *Endpoint::Unix("/run/docker.sock")), "deny 0 no-rule-matches");
}

TEST(ExamplesTest, TheCrawlerLeavesAloneWhoAskedForIt) {
  const Policy& policy = Example("crawler");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"www.example.com"}), "allow 1 none");
  EXPECT_EQ(InWords(policy.DecideName(Name("no-robots.example"))), "deny 2 deny-rule");
  EXPECT_EQ(InWords(policy.DecideName(Name("www.no-robots.example"))), "deny 3 deny-rule");
  EXPECT_EQ(Said(policy, At("93.184.216.34", 443), {"alias.example"}), "deny 4 deny-rule");
  EXPECT_EQ(Said(policy, At("2606:2800:220::1", 443)), "deny 5 deny-rule");
  EXPECT_EQ(Said(policy, At("151.101.1.1", 80)), "deny 6 deny-rule");
  EXPECT_EQ(Said(policy, At("151.101.1.1", 443)), "allow 1 none");
}

TEST(ExamplesTest, TheInternalServiceReachesThreePlaces) {
  const LoadedPolicy loaded = LoadPolicyFile("broker/policy/examples/internal_service.toml");
  const Policy& policy = RoleOf(loaded, "orders").policy;
  EXPECT_EQ(Said(policy, At("10.1.1.1", 8443), {"billing.internal.example"}), "allow 1 none");
  EXPECT_EQ(Said(policy, At("10.1.1.1", 8443)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("10.1.1.1", 80), {"billing.internal.example"}),
            "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("10.20.30.5", 5432)), "allow 2 none");
  EXPECT_EQ(Said(policy, At("10.20.30.9", 5432)), "deny 4 deny-rule");
  EXPECT_EQ(Said(policy, At("10.20.30.16", 5432)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, *Endpoint::Unix("/run/metrics/socket")), "allow 3 none");
  EXPECT_EQ(Said(policy, *Endpoint::Unix("/run/sockgate/orders")), "deny 0 own-address");
  EXPECT_EQ(InWords(policy.DecideName(Name("www.example.com"))), "deny 0 no-rule-matches");
}

}  // namespace
}  // namespace sockgate::testing
