// DecideAddress(): whether an address that a name leads to is of any use, at whatever port.

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "broker/policy/policy.h"
#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

constexpr auto kAllow = Decision::kAllow;
constexpr auto kDeny = Decision::kDeny;

std::string SaidOfAddress(const Policy& policy, absl::string_view address,
                          absl::string_view name = "www.example.com") {
  const HostName parsed = Name(name);
  const HostName* const names[] = {&parsed};
  return InWords(policy.DecideAddress(IpAddress::Parse(address).value(), names));
}

TEST(PolicyAddressTest, APublicAddressUnderANameThatARuleAllows) {
  const Policy policy({OnHost(kAllow, "www.example.com", "8443")});
  EXPECT_EQ(SaidOfAddress(policy, "9.9.9.9"), "allow 1 none");
  EXPECT_EQ(SaidOfAddress(policy, "2620:fe::fe"), "allow 1 none");
  EXPECT_EQ(SaidOfAddress(policy, "9.9.9.9", "example.com"), "deny 0 no-rule-matches");
}

TEST(PolicyAddressTest, APublicRuleOrARangeDoesToo) {
  EXPECT_EQ(SaidOfAddress(Policy({OnPublic(kAllow, "80")}), "9.9.9.9"), "allow 1 none");
  EXPECT_EQ(SaidOfAddress(Policy({OnCidr(kAllow, "9.0.0.0/8", "65535")}), "9.9.9.9"),
            "allow 1 none");
}

TEST(PolicyAddressTest, UdpAloneIsEnough) {
  EXPECT_EQ(SaidOfAddress(Policy({Udp(OnHost(kAllow, "www.example.com", "53"))}), "9.9.9.9"),
            "allow 1 none");
}

TEST(PolicyAddressTest, ASpecialAddressNeedsAPrivateName) {
  const Policy closed({OnHost(kAllow, "www.example.com", "443")});
  const Policy open({Private(OnHost(kAllow, "www.example.com", "443"))});
  for (const char* address : {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1"}) {
    EXPECT_EQ(SaidOfAddress(closed, address), "deny 0 special-purpose-address") << address;
    EXPECT_EQ(SaidOfAddress(open, address), "allow 1 none") << address;
  }
  EXPECT_EQ(SaidOfAddress(open, "0.0.0.0"), "deny 0 unspecified-address");
}

TEST(PolicyAddressTest, AnEmbeddedAddressCountsToo) {
  const Policy policy({Private(OnHost(kAllow, "a.org", "443")),
                       OnHost(kAllow, "www.example.com", "443"), OnCidr(kAllow, "64:ff9b::/96")});
  EXPECT_EQ(SaidOfAddress(policy, "64:ff9b::9.9.9.9"), "allow 3 none");
  EXPECT_EQ(SaidOfAddress(policy, "64:ff9b::10.0.0.1"), "deny 0 embedded-address");
  EXPECT_EQ(SaidOfAddress(policy, "64:ff9b::10.0.0.1", "a.org"), "allow 3 none");
}

TEST(PolicyAddressTest, ADenyRuleWithAllPortsOrWithEveryAllowedOne) {
  const Rule allow = OnHost(kAllow, "www.example.com", "80,443");
  EXPECT_EQ(SaidOfAddress(Policy({allow, OnCidr(kDeny, "9.9.9.0/24")}), "9.9.9.9"),
            "deny 2 deny-rule");
  EXPECT_EQ(SaidOfAddress(Policy({allow, OnCidr(kDeny, "9.9.9.0/24", "80-443")}), "9.9.9.9"),
            "deny 2 deny-rule");
  EXPECT_EQ(SaidOfAddress(Policy({allow, OnCidr(kDeny, "9.9.9.0/24", "80,444")}), "9.9.9.9"),
            "allow 1 none");
  EXPECT_EQ(SaidOfAddress(Policy({allow, OnPublic(kDeny, "1-79,81-65535")}), "9.9.9.9"),
            "allow 1 none");
}

TEST(PolicyAddressTest, AnOwnAddressIsDeniedWhateverTheRulesSay) {
  const std::vector<Rule> rules = {Private(OnHost(kAllow, "www.example.com")),
                                   OnHost(kDeny, "www.example.com", "80"),
                                   OnCidr(kDeny, "9.9.9.9", "25")};
  const OwnPlaces own = {{Cidr::Parse("9.9.9.0/24").value()}, {}};
  for (const PolicyMode mode : {PolicyMode::kEnforce, PolicyMode::kReport}) {
    EXPECT_EQ(SaidOfAddress(Policy(rules, mode, own), "9.9.9.9"), "deny 0 own-address");
  }
}

TEST(PolicyAddressTest, ReportModeKeepsAnAddressAndSaysSo) {
  const Policy policy({OnHost(kAllow, "www.example.com", "443")}, PolicyMode::kReport);
  EXPECT_EQ(SaidOfAddress(policy, "10.0.0.1"), "would-deny 0 special-purpose-address");
  EXPECT_EQ(SaidOfAddress(policy, "9.9.9.9", "a.org"), "would-deny 0 no-rule-matches");
  EXPECT_EQ(SaidOfAddress(policy, "0.0.0.0"), "deny 0 unspecified-address");
}

TEST(PolicyAddressTest, NothingIsReachedOnceTheRoleIsGone) {
  EXPECT_EQ(SaidOfAddress(Policy::Closed(Reason::kRoleRemoved), "9.9.9.9"), "deny 0 role-removed");
}

// In report mode a deny rule is no way to what stays denied.
TEST(PolicyAddressTest, ReportModeAndADenyRuleDoNotOpenAnOwnAddress) {
  const OwnPlaces own = {{Cidr::Parse("127.0.0.0/8").value()}, {}};
  const Policy policy({OnHost(kDeny, "www.example.com"), OnCidr(kDeny, "127.0.0.1")},
                      PolicyMode::kReport, own);
  EXPECT_EQ(Said(policy, At("127.0.0.1", 80)), "deny 2 deny-rule");
  EXPECT_EQ(Said(policy, At("127.0.0.2", 80), {"www.example.com"}), "deny 1 deny-rule");
  EXPECT_EQ(Said(policy, At("64:ff9b::127.0.0.2", 80), {"www.example.com"}), "deny 1 deny-rule");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 80), {"www.example.com"}), "would-deny 1 deny-rule");
}

// Against every port there is, over random policies.
TEST(PolicyAddressTest, AgreesWithALookAtEveryPort) {
  std::mt19937 random(7);
  const auto pick = [&](const std::vector<const char*>& from) {
    return from[random() % from.size()];
  };
  const std::vector<const char*> ports = {"*", "80", "1-442", "443-65535", "65535", "81-90,7"};
  int allowed = 0;
  for (int round = 0; round < 40; ++round) {
    std::vector<Rule> rules;
    for (size_t count = 1 + random() % 5; count > 0; --count) {
      const Decision decision = random() % 2 == 0 ? kAllow : kDeny;
      const char* some_ports = pick(ports);
      Rule rule = random() % 2 == 0
                      ? OnHost(decision, pick({"www.example.com", "*.example.com"}), some_ports)
                      : OnCidr(decision, pick({"9.0.0.0/8", "10.0.0.0/8", "::/0"}), some_ports);
      if (random() % 3 == 0) rule.transports = Transports::Udp();
      rules.push_back(rule);
    }
    const Policy policy(rules);
    const HostName name = Name("www.example.com");
    const HostName* const names[] = {&name};
    const IpAddress address =
        IpAddress::Parse(pick({"9.9.9.9", "10.0.0.1", "64:ff9b::9.9.9.9", "2620:fe::fe"})).value();
    bool any = false;
    for (uint32_t port = 1; port <= UINT16_MAX && !any; ++port) {
      const Endpoint endpoint = Endpoint::Ip(address, static_cast<uint16_t>(port));
      any = policy.Decide(endpoint, Transport::kStream, names).lets_through() ||
            policy.Decide(endpoint, Transport::kDatagram, names).lets_through();
    }
    ASSERT_EQ(policy.DecideAddress(address, names).lets_through(), any) << "round " << round;
    allowed += any ? 1 : 0;
  }
  EXPECT_GT(allowed, 8);
  EXPECT_LT(allowed, 32);
}

}  // namespace
}  // namespace sockgate::testing
