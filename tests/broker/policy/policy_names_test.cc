// Rules on host names: with an address that they lead to, and before there is one.

#include <gtest/gtest.h>

#include <string>

#include "broker/policy/policy.h"
#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

constexpr auto kAllow = Decision::kAllow;
constexpr auto kDeny = Decision::kDeny;

std::string SaidOfName(const Policy& policy, absl::string_view name) {
  return InWords(policy.DecideName(Name(name)));
}

TEST(PolicyNamesTest, AHostRuleHoldsForAnAddressWithThatName) {
  const Policy policy({OnHost(kAllow, "example.com", "443")});
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"example.com"}), "allow 1 none");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 80), {"example.com"}), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"www.example.com"}), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"other.org", "EXAMPLE.com."}), "allow 1 none");
}

TEST(PolicyNamesTest, AStarIsForNamesBelow) {
  const Policy policy({OnHost(kAllow, "*.example.com", "443")});
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"www.example.com"}), "allow 1 none");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"a.b.c.example.com"}), "allow 1 none");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"example.com"}), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"badexample.com"}), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"example.com.evil.org"}), "deny 0 no-rule-matches");
}

TEST(PolicyNamesTest, DenyBeatsAllowWhicheverIsNarrower) {
  const Policy policy({OnHost(kAllow, "*.example.com"), OnHost(kDeny, "bad.example.com"),
                       OnHost(kDeny, "*.evil.example.com"), OnHost(kAllow, "x.evil.example.com")});
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"good.example.com"}), "allow 1 none");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"bad.example.com"}), "deny 2 deny-rule");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"x.evil.example.com"}), "deny 3 deny-rule");
}

TEST(PolicyNamesTest, OneDeniedNameIsEnough) {
  const Policy policy({OnHost(kAllow, "good.org"), OnHost(kDeny, "bad.org"), OnPublic(kAllow)});
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"good.org", "bad.org"}), "deny 2 deny-rule");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"good.org"}), "allow 1 none");
}

TEST(PolicyNamesTest, ADeniedAddressIsDeniedUnderEveryName) {
  const Policy policy({OnHost(kAllow, "example.com"), OnCidr(kDeny, "9.9.9.0/24")});
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"example.com"}), "deny 2 deny-rule");
}

TEST(PolicyNamesTest, ANameMustNotLeadToSpecialAddressesUnlessItIsPrivate) {
  const Policy policy({OnHost(kAllow, "www.example.com", "443"),
                       Private(OnHost(kAllow, "intern.example.com", "443"))});
  for (const char* address : {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1"}) {
    EXPECT_EQ(Said(policy, At(address, 443), {"www.example.com"}), "deny 0 special-purpose-address")
        << address;
    EXPECT_EQ(Said(policy, At(address, 443), {"intern.example.com"}), "allow 2 none") << address;
  }
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443), {"intern.example.com"}), "allow 2 none");
  EXPECT_EQ(Said(policy, At("10.0.0.1", 80), {"intern.example.com"}), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("0.0.0.0", 443), {"intern.example.com"}), "deny 0 unspecified-address");
}

TEST(PolicyNamesTest, APrivateNameDoesNotOpenTheRangeToOthers) {
  const Policy policy({OnPublic(kAllow), Private(OnHost(kAllow, "intern.example.com"))});
  EXPECT_EQ(Said(policy, At("10.0.0.1", 443), {"other.org"}), "deny 0 special-purpose-address");
  EXPECT_EQ(Said(policy, At("10.0.0.1", 443)), "deny 0 special-purpose-address");
}

TEST(PolicyNamesTest, LooksUpWhatAHostRuleAllowsAtSomePort) {
  const Policy policy({OnHost(kAllow, "example.com", "443"), OnHost(kAllow, "*.example.com", "1"),
                       OnCidr(kAllow, "9.9.9.0/24")});
  EXPECT_EQ(SaidOfName(policy, "example.com"), "allow 1 none");
  EXPECT_EQ(SaidOfName(policy, "www.example.com"), "allow 2 none");
  EXPECT_EQ(SaidOfName(policy, "example.org"), "deny 0 no-rule-matches");
}

// A name that is denied at one port is looked up for the sake of the others.
TEST(PolicyNamesTest, LooksUpNothingThatIsDeniedAtEveryPort) {
  const Policy policy({OnPublic(kAllow, "80,443"), OnHost(kDeny, "*.bad.org"),
                       OnHost(kDeny, "half.org", "80"), OnHost(kDeny, "whole.org", "1-9,10-65535"),
                       Udp(OnHost(kDeny, "udp.org"))});
  EXPECT_EQ(SaidOfName(policy, "any.example"), "allow 1 none");
  EXPECT_EQ(SaidOfName(policy, "bad.org"), "allow 1 none");
  EXPECT_EQ(SaidOfName(policy, "very.bad.org"), "deny 2 deny-rule");
  EXPECT_EQ(SaidOfName(policy, "half.org"), "allow 1 none");
  EXPECT_EQ(SaidOfName(policy, "whole.org"), "deny 4 deny-rule");
  EXPECT_EQ(SaidOfName(policy, "udp.org"), "allow 1 none");
}

TEST(PolicyNamesTest, ForeseesWhatAPublicAddressWillMean) {
  const Policy policy({OnHost(kAllow, "example.com", "443"), OnCidr(kAllow, "0.0.0.0/0", "80"),
                       OnHost(kDeny, "bad.org"), OnPublic(kAllow, "8080"),
                       Private(OnHost(kAllow, "intern.example", "5432"))});
  const auto foresee = [&](absl::string_view name, uint16_t port) {
    return InWords(policy.ForeseeHost(Name(name), port, Transport::kStream));
  };
  EXPECT_EQ(foresee("example.com", 443), "allow 1 none");
  EXPECT_EQ(foresee("example.com", 80), "deny 0 no-rule-matches");
  EXPECT_EQ(foresee("example.com", 8080), "allow 4 none");
  EXPECT_EQ(foresee("bad.org", 8080), "deny 3 deny-rule");
  EXPECT_EQ(foresee("intern.example", 5432), "allow 5 none");
}

}  // namespace
}  // namespace sockgate::testing
