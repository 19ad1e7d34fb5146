// What a rule reaches only when it names it, and addresses within addresses.

#include <gtest/gtest.h>

#include <string>

#include "broker/policy/policy.h"
#include "broker/policy/special_ranges.h"
#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

constexpr auto kAllow = Decision::kAllow;
constexpr auto kDeny = Decision::kDeny;

const Policy& AllowsTheWholeInternet() {
  static const auto* policy =
      new Policy({OnCidr(kAllow, "0.0.0.0/0"), OnCidr(kAllow, "::/0"), OnPublic(kAllow)});
  return *policy;
}

TEST(SpecialTest, AWideRuleOpensNoSpecialRange) {
  for (const SpecialRange& special : SpecialRanges()) {
    const IpAddress& first = special.range.base();
    if (first.is_unspecified()) continue;
    EXPECT_EQ(Said(AllowsTheWholeInternet(), Endpoint::Ip(first, 443)),
              "deny 0 special-purpose-address")
        << special.range.ToString() << " " << special.name;
  }
}

TEST(SpecialTest, AWideRuleOpensTheRest) {
  EXPECT_EQ(Said(AllowsTheWholeInternet(), At("9.9.9.9", 443)), "allow 1 none");
  EXPECT_EQ(Said(AllowsTheWholeInternet(), At("2620:fe::fe", 443)), "allow 2 none");
}

TEST(SpecialTest, ARuleWithinTheRangeNamesIt) {
  const Policy policy({OnCidr(kAllow, "10.0.0.0/8"), OnCidr(kAllow, "192.168.7.0/24"),
                       OnCidr(kAllow, "fd00:1::/32")});
  EXPECT_EQ(Said(policy, At("10.255.255.255", 443)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("192.168.7.1", 443)), "allow 2 none");
  EXPECT_EQ(Said(policy, At("192.168.8.1", 443)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("fd00:1::1", 443)), "allow 3 none");
}

TEST(SpecialTest, ARuleThatIsWiderThanTheRangeDoesNot) {
  const Policy policy({OnCidr(kAllow, "172.0.0.0/8"), OnCidr(kAllow, "fc00::/6")});
  EXPECT_EQ(Said(policy, At("172.15.255.255", 443)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("172.16.0.0", 443)), "deny 0 special-purpose-address");
  EXPECT_EQ(Said(policy, At("172.31.255.255", 443)), "deny 0 special-purpose-address");
  EXPECT_EQ(Said(policy, At("172.32.0.0", 443)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("fd00:1::1", 443)), "deny 0 special-purpose-address");
}

// Whoever opens a link or a site hardly means the address that hands out credentials.
TEST(SpecialTest, MetadataAddressesMustBeNamedThemselves) {
  const Policy around({OnCidr(kAllow, "169.254.0.0/16"), OnCidr(kAllow, "fc00::/7"),
                       OnCidr(kAllow, "100.64.0.0/10"), OnPublic(kAllow)});
  for (const char* address : {"169.254.169.254", "169.254.170.2", "fd00:ec2::254", "fd20:ce::254",
                              "100.100.100.200", "168.63.129.16"}) {
    EXPECT_EQ(Said(around, At(address, 80)), "deny 0 special-purpose-address") << address;
  }
  EXPECT_EQ(Said(around, At("169.254.169.255", 80)), "allow 1 none");
  EXPECT_EQ(Said(around, At("fd00:ec2::255", 80)), "allow 2 none");
  const Policy exact({OnCidr(kAllow, "169.254.169.254")});
  EXPECT_EQ(Said(exact, At("169.254.169.254", 80)), "allow 1 none");
}

TEST(SpecialTest, ADenyRuleNeedsNotNameIt) {
  const Policy policy({OnCidr(kAllow, "10.0.0.0/8"), OnCidr(kDeny, "0.0.0.0/0", "25")});
  EXPECT_EQ(Said(policy, At("10.0.0.1", 25)), "deny 2 deny-rule");
}

TEST(SpecialTest, ADenyRuleOnThePublicLeavesTheSpecialAlone) {
  const Policy policy(
      {OnCidr(kAllow, "10.0.0.0/8"), OnCidr(kAllow, "9.0.0.0/8"), OnPublic(kDeny, "25")});
  EXPECT_EQ(Said(policy, At("10.0.0.1", 25)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("9.0.0.1", 25)), "deny 3 deny-rule");
  EXPECT_EQ(Said(policy, At("9.0.0.1", 26)), "allow 2 none");
}

// Each address stands for 127.0.0.1, and each rule would open it if that were not judged.
TEST(EmbeddedTest, NoFormIsAWayToLoopback) {
  const struct {
    const char* rule;
    const char* address;
  } kTable[] = {
      {"::/96", "::127.0.0.1"},
      {"::ffff:0:0:0/96", "::ffff:0:127.0.0.1"},
      {"64:ff9b::/96", "64:ff9b::127.0.0.1"},
      {"64:ff9b:1::/48", "64:ff9b:1::127.0.0.1"},
      {"64:ff9b:1::/48", "64:ff9b:1:7f00:0:100::"},
      {"64:ff9b:1::/48", "64:ff9b:1:7f:0:1::"},
      {"64:ff9b:1::/48", "64:ff9b:1:0:7f:0:100:0"},
      {"2002::/16", "2002:7f00:1::1"},
      {"2001::/32", "2001:0:7f00:1::ffff:ffff"},
      {"2001::/32", "2001:0:909:909::80ff:fffe"},
      {"2001:db8::/32", "2001:db8::5efe:127.0.0.1"},
      {"2620:fe::/32", "2620:fe::200:5efe:127.0.0.1"},
      {"fe80::/10", "fe80::5efe:127.0.0.1"},
  };
  for (const auto& row : kTable) {
    const Policy policy({OnCidr(kAllow, row.rule), OnCidr(kAllow, "0.0.0.0/0")});
    EXPECT_EQ(Said(policy, At(row.address, 80)), "deny 0 embedded-address") << row.address;
    const Policy denies({OnCidr(kAllow, row.rule), OnPublic(kAllow), OnCidr(kDeny, "127.0.0.1")});
    EXPECT_EQ(Said(denies, At(row.address, 80)), "deny 3 deny-rule") << row.address;
  }
}

TEST(EmbeddedTest, BothMustBeAllowed) {
  const Policy only_v6({OnCidr(kAllow, "64:ff9b::/96")});
  EXPECT_EQ(Said(only_v6, At("64:ff9b::9.9.9.9", 443)), "deny 0 embedded-address");
  const Policy only_v4({OnCidr(kAllow, "9.9.9.0/24")});
  EXPECT_EQ(Said(only_v4, At("64:ff9b::9.9.9.9", 443)), "deny 0 no-rule-matches");
  const Policy both({OnCidr(kAllow, "64:ff9b::/96"), OnCidr(kAllow, "9.9.9.0/24")});
  EXPECT_EQ(Said(both, At("64:ff9b::9.9.9.9", 443)), "allow 1 none");
  EXPECT_EQ(Said(both, At("64:ff9b::9.9.8.8", 443)), "deny 0 embedded-address");
  EXPECT_EQ(Said(both, At("64:ff9b::0.0.0.0", 443)), "deny 0 embedded-address");
}

TEST(EmbeddedTest, OwnAddressesAreFoundWithin) {
  const Policy policy({OnCidr(kAllow, "64:ff9b::/96"), OnPublic(kAllow)}, PolicyMode::kEnforce,
                      {{Cidr::Parse("9.9.9.9").value()}, {}});
  EXPECT_EQ(Said(policy, At("64:ff9b::9.9.9.9", 443)), "deny 0 own-address");
}

// On a network with DNS64 every name leads to such an address.
TEST(EmbeddedTest, ANameIsReachedThroughATranslatorThatARuleNames) {
  const Policy policy({OnHost(kAllow, "example.com", "443"), OnCidr(kAllow, "64:ff9b::/96")});
  EXPECT_EQ(Said(policy, At("64:ff9b::9.9.9.9", 443), {"example.com"}), "allow 2 none");
  EXPECT_EQ(Said(policy, At("64:ff9b::9.9.9.9", 443), {"example.org"}), "deny 0 embedded-address");
  EXPECT_EQ(Said(policy, At("64:ff9b::9.9.9.9", 443)), "deny 0 embedded-address");
  EXPECT_EQ(Said(policy, At("64:ff9b::10.0.0.1", 443), {"example.com"}), "deny 0 embedded-address");
}

}  // namespace
}  // namespace sockgate::testing
