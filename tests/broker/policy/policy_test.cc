// Rules on addresses, paths, ports and transports. The special ranges have a test of their own, and
// so have names.

#include "broker/policy/policy.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

constexpr auto kAllow = Decision::kAllow;
constexpr auto kDeny = Decision::kDeny;

TEST(PolicyTest, DeniesEverythingAtFirst) {
  const Policy policy;
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("192.0.2.1", 443)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("127.0.0.1", 80)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("::1", 80)), "deny 0 no-rule-matches");
}

TEST(PolicyTest, AClosedOneSaysWhy) {
  const Policy policy = Policy::Closed(Reason::kRoleRemoved);
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443)), "deny 0 role-removed");
  EXPECT_EQ(SaidOfUdp(policy, At("9.9.9.9", 443)), "deny 0 role-removed");
  EXPECT_EQ(Said(policy, *Endpoint::Unix("/run/x")), "deny 0 role-removed");
  EXPECT_EQ(InWords(policy.DecideName(Name("example.com"))), "deny 0 role-removed");
}

// The kernel connects to loopback when told 0.0.0.0 or ::.
TEST(PolicyTest, TheUnspecifiedAddressIsNoWayAroundADenyRule) {
  const Policy policy({OnCidr(kAllow, "0.0.0.0/32"), OnCidr(kAllow, "::/128"),
                       OnCidr(kDeny, "127.0.0.0/8"), OnCidr(kDeny, "::1")});
  EXPECT_EQ(Said(policy, At("0.0.0.0", 80)), "deny 0 unspecified-address");
  EXPECT_EQ(Said(policy, At("::", 80)), "deny 0 unspecified-address");
  EXPECT_EQ(Said(policy, At("::ffff:0.0.0.0", 80)), "deny 0 unspecified-address");
}

TEST(PolicyTest, AllowsWhatARuleCoversAndNoMore) {
  const Policy policy({OnCidr(kAllow, "192.0.2.0/24", "80,443")});
  EXPECT_EQ(Said(policy, At("192.0.2.0", 443)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("192.0.2.1", 443)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("192.0.2.255", 80)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("192.0.2.1", 81)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("192.0.1.255", 443)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("192.0.3.0", 443)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("2001:db8::1", 443)), "deny 0 no-rule-matches");
}

TEST(PolicyTest, DenyBeatsAllowInEitherOrder) {
  const Policy deny_last({OnCidr(kAllow, "10.0.0.0/8"), OnCidr(kDeny, "10.1.0.0/16")});
  EXPECT_EQ(Said(deny_last, At("10.1.2.3", 80)), "deny 2 deny-rule");
  EXPECT_EQ(Said(deny_last, At("10.2.0.1", 80)), "allow 1 none");
  const Policy deny_first({OnCidr(kDeny, "10.1.0.0/16"), OnCidr(kAllow, "10.0.0.0/8")});
  EXPECT_EQ(Said(deny_first, At("10.1.2.3", 80)), "deny 1 deny-rule");
  EXPECT_EQ(Said(deny_first, At("10.2.0.1", 80)), "allow 2 none");
}

TEST(PolicyTest, AWiderDenyBeatsANarrowerAllow) {
  const Policy policy({OnCidr(kAllow, "10.1.2.3", "443"), OnCidr(kDeny, "0.0.0.0/0")});
  EXPECT_EQ(Said(policy, At("10.1.2.3", 443)), "deny 2 deny-rule");
}

TEST(PolicyTest, ADenyRuleHoldsForItsPortsOnly) {
  const Policy policy({OnCidr(kAllow, "192.0.2.1"), OnCidr(kDeny, "192.0.2.1", "25")});
  EXPECT_EQ(Said(policy, At("192.0.2.1", 24)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("192.0.2.1", 25)), "deny 2 deny-rule");
  EXPECT_EQ(Said(policy, At("192.0.2.1", 26)), "allow 1 none");
}

TEST(PolicyTest, OfSeveralRulesTheNarrowestIsNamedAndThenTheFirst) {
  const Policy policy({OnCidr(kAllow, "192.0.2.9", "1"), OnCidr(kAllow, "192.0.2.0/24", "443"),
                       OnCidr(kAllow, "192.0.2.1", "443"), OnCidr(kAllow, "192.0.2.1"),
                       OnCidr(kDeny, "198.51.100.0/24"), OnCidr(kDeny, "198.51.100.1")});
  EXPECT_EQ(Said(policy, At("192.0.2.2", 443)), "allow 2 none");
  EXPECT_EQ(Said(policy, At("192.0.2.1", 443)), "allow 3 none");
  EXPECT_EQ(Said(policy, At("192.0.2.1", 444)), "allow 4 none");
  EXPECT_EQ(Said(policy, At("198.51.100.1", 443)), "deny 6 deny-rule");
}

TEST(PolicyTest, TheVerdictSaysWhereTheRuleStands) {
  Rule allow = OnCidr(kAllow, "192.0.2.0/24");
  allow.line = 17;
  const Policy policy({allow});
  EXPECT_EQ(policy.Decide(At("192.0.2.1", 1), Transport::kStream).line, 17U);
  EXPECT_EQ(policy.Decide(At("192.0.3.1", 1), Transport::kStream).line, 0U);
}

TEST(PolicyTest, AMappedAddressIsJudgedAsIpv4) {
  const Policy policy({OnCidr(kAllow, "2001:db8::/32"), OnCidr(kDeny, "127.0.0.0/8")});
  EXPECT_EQ(Said(policy, At("::ffff:127.0.0.1", 80)), "deny 2 deny-rule");
  EXPECT_EQ(Said(policy, At("::ffff:192.0.2.1", 80)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("2001:db8::1", 80)), "allow 1 none");
}

TEST(PolicyTest, AScopeDoesNotHideAnAddress) {
  const Policy policy({OnCidr(kAllow, "fe80::/10"), OnCidr(kDeny, "fe80::1")});
  EXPECT_EQ(Said(policy, Endpoint::Ip(*IpAddress::Parse("fe80::1"), 80, 7)), "deny 2 deny-rule");
}

TEST(PolicyTest, NoRuleCoversPortZero) {
  EXPECT_EQ(Said(Policy({OnCidr(kAllow, "192.0.2.0/24")}), At("192.0.2.1", 0)),
            "deny 0 no-rule-matches");
}

TEST(PolicyTest, UdpMustBeNamed) {
  const Policy tcp({OnCidr(kAllow, "192.0.2.0/24")});
  EXPECT_EQ(SaidOfUdp(tcp, At("192.0.2.1", 53)), "deny 0 transport");
  EXPECT_EQ(SaidOfUdp(tcp, At("192.0.3.1", 53)), "deny 0 no-rule-matches");
  const Policy udp({Udp(OnCidr(kAllow, "192.0.2.0/24", "53"))});
  EXPECT_EQ(SaidOfUdp(udp, At("192.0.2.1", 53)), "allow 1 none");
  EXPECT_EQ(SaidOfUdp(udp, At("192.0.2.1", 54)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(udp, At("192.0.2.1", 53)), "deny 0 no-rule-matches");
}

TEST(PolicyTest, ADenyRuleForOneTransportLeavesTheOther) {
  const Policy policy({OnCidr(kAllow, "192.0.2.1"), Udp(OnCidr(kAllow, "192.0.2.1")),
                       Udp(OnCidr(kDeny, "192.0.2.1"))});
  EXPECT_EQ(Said(policy, At("192.0.2.1", 53)), "allow 1 none");
  EXPECT_EQ(SaidOfUdp(policy, At("192.0.2.1", 53)), "deny 3 deny-rule");
}

TEST(PolicyTest, APathIsAllowedToTheByte) {
  const Policy policy({OnUnix(kAllow, "/run/x"), OnUnix(kAllow, "/run/y"), OnUnix(kDeny, "/run/y"),
                       OnCidr(kAllow, "192.0.2.0/24")});
  EXPECT_EQ(Said(policy, *Endpoint::Unix("/run/x")), "allow 1 none");
  EXPECT_EQ(Said(policy, *Endpoint::Unix("/run/y")), "deny 3 deny-rule");
  for (const char* other :
       {"/run/X", "/run//x", "/run/./x", "/run/x/", "/run", "run/x", "/run/xx"}) {
    EXPECT_EQ(Said(policy, *Endpoint::Unix(other)), "deny 0 no-rule-matches") << other;
  }
  EXPECT_EQ(Said(policy, *Endpoint::Unix({"\0/run/x", 7})), "deny 0 no-rule-matches");
  EXPECT_EQ(SaidOfUdp(policy, *Endpoint::Unix("/run/x")), "deny 0 transport");
}

TEST(PolicyTest, WhereTheBrokerListensIsNoPlaceForAWorker) {
  const Policy policy({OnUnix(kAllow, "/run/gate")}, PolicyMode::kReport, {{}, {"/run/gate"}});
  EXPECT_EQ(Said(policy, *Endpoint::Unix("/run/gate")), "deny 0 own-address");
}

TEST(PolicyTest, ReportModeLetsAddressesThrough) {
  const Policy policy({OnCidr(kAllow, "192.0.2.0/24"), OnCidr(kDeny, "192.0.2.66")},
                      PolicyMode::kReport, {{Cidr::Parse("9.9.9.1").value()}, {}});
  EXPECT_EQ(Said(policy, At("192.0.2.1", 1)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("192.0.2.66", 1)), "would-deny 2 deny-rule");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 1)), "would-deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("127.0.0.1", 1)), "would-deny 0 no-rule-matches");
  EXPECT_EQ(SaidOfUdp(policy, At("192.0.2.1", 1)), "deny 0 transport");
  EXPECT_EQ(InWords(policy.DecideName(Name("example.com"))), "would-deny 0 no-rule-matches");
}

TEST(PolicyTest, ReportModeOpensNeitherTheHostNorItsFiles) {
  const Policy policy({OnUnix(kDeny, "/run/y")}, PolicyMode::kReport,
                      {{Cidr::Parse("9.9.9.1").value()}, {}});
  EXPECT_EQ(Said(policy, At("0.0.0.0", 1)), "deny 0 unspecified-address");
  EXPECT_EQ(Said(policy, At("9.9.9.1", 1)), "deny 0 own-address");
  EXPECT_EQ(Said(policy, *Endpoint::Unix("/run/x")), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, *Endpoint::Unix("/run/y")), "deny 1 deny-rule");
  EXPECT_EQ(SaidOfUdp(policy, *Endpoint::Unix("/run/y")), "deny 1 deny-rule");
  EXPECT_EQ(Said(policy, *Endpoint::Unix({"\0abstract", 9})), "deny 0 no-rule-matches");
  EXPECT_EQ(SaidOfUdp(policy, *Endpoint::Unix("/run/x")), "deny 0 transport");
}

// Whatever denied it first, and whatever it is written in.
TEST(PolicyTest, ReportModeOpensNoClosedAddressByADetour) {
  const Policy policy({OnCidr(kDeny, "127.0.0.0/8"), OnHost(kDeny, "bad.example")},
                      PolicyMode::kReport, {{Cidr::Parse("127.0.0.0/8").value()}, {}});
  EXPECT_EQ(Said(policy, At("127.0.0.1", 80)).substr(0, 5), "deny ");
  EXPECT_EQ(Said(policy, At("127.0.0.2", 80), {"bad.example"}).substr(0, 5), "deny ");
  for (const char* address : {"64:ff9b::127.0.0.1", "::127.0.0.1", "2002:7f00:1::1",
                              "::ffff:0:127.0.0.1", "64:ff9b::0.0.0.0", "fe80::5efe:127.0.0.1"}) {
    EXPECT_EQ(Said(policy, At(address, 80)).substr(0, 5), "deny ") << address;
  }
  EXPECT_EQ(Said(policy, At("64:ff9b::9.9.9.9", 80)).substr(0, 10), "would-deny");
}

TEST(PolicyTest, OwnAddressesAreDeniedWhateverTheRulesSay) {
  const Policy policy({OnCidr(kAllow, "9.9.9.0/24"), OnCidr(kAllow, "127.0.0.1")},
                      PolicyMode::kEnforce,
                      {{Cidr::Parse("9.9.9.1").value(), Cidr::Parse("127.0.0.0/8").value()}, {}});
  EXPECT_EQ(Said(policy, At("9.9.9.1", 80)), "deny 0 own-address");
  EXPECT_EQ(Said(policy, At("127.0.0.1", 80)), "deny 0 own-address");
  EXPECT_EQ(Said(policy, At("9.9.9.2", 80)), "allow 1 none");
}

}  // namespace
}  // namespace sockgate::testing
