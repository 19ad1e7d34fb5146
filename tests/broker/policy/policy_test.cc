#include "broker/policy/policy.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

constexpr auto kAllow = Decision::kAllow;
constexpr auto kDeny = Decision::kDeny;

Rule Parse(Decision decision, absl::string_view text) {
  auto rule = Rule::Parse(decision, text);
  EXPECT_TRUE(rule.ok()) << rule.status();
  return *std::move(rule);
}

Policy Rules(std::initializer_list<std::pair<Decision, const char*>> list) {
  std::vector<Rule> rules;
  for (const auto& [decision, text] : list) rules.push_back(Parse(decision, text));
  return Policy(std::move(rules));
}

Endpoint At(absl::string_view address, uint16_t port) {
  return Endpoint::Ip(*IpAddress::Parse(address), port);
}

// "allow 1 none", "deny 0 no-rule-matches": decision, rule number, reason.
std::string Said(const Policy& policy, const Endpoint& endpoint,
                 Transport transport = Transport::kStream) {
  const Verdict verdict = policy.Decide(endpoint, transport);
  return absl::StrCat(verdict.decision == kAllow ? "allow " : "deny ", verdict.rule, " ",
                      Word(verdict.reason));
}

TEST(PolicyTest, DeniesEverythingAtFirst) {
  const Policy policy;
  EXPECT_EQ(Said(policy, At("192.0.2.1", 443)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("127.0.0.1", 80)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("::1", 80)), "deny 0 no-rule-matches");
}

// The kernel connects to loopback when told 0.0.0.0 or ::.
TEST(PolicyTest, TheUnspecifiedAddressIsNoWayAroundADenyRule) {
  const Policy policy = Rules({{kAllow, "0.0.0.0/0:*"},
                               {kAllow, "[::/0]:*"},
                               {kDeny, "127.0.0.0/8:*"},
                               {kDeny, "[::1]:*"}});
  EXPECT_EQ(Said(policy, At("0.0.0.0", 80)), "deny 0 unspecified-address");
  EXPECT_EQ(Said(policy, At("::", 80)), "deny 0 unspecified-address");
  EXPECT_EQ(Said(policy, At("::ffff:0.0.0.0", 80)), "deny 0 unspecified-address");
  EXPECT_EQ(Said(policy, At("0.0.0.1", 80)), "allow 1 none");
}

TEST(PolicyTest, AllowsWhatARuleCoversAndNoMore) {
  const Policy policy = Rules({{kAllow, "192.0.2.0/24:80,443"}});
  EXPECT_EQ(Said(policy, At("192.0.2.1", 443)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("192.0.2.255", 80)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("192.0.2.1", 81)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("192.0.3.1", 443)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("2001:db8::1", 443)), "deny 0 no-rule-matches");
}

TEST(PolicyTest, DenyBeatsAllowInEitherOrder) {
  const Policy deny_last = Rules({{kAllow, "10.0.0.0/8:*"}, {kDeny, "10.1.0.0/16:*"}});
  EXPECT_EQ(Said(deny_last, At("10.1.2.3", 80)), "deny 2 deny-rule");
  EXPECT_EQ(Said(deny_last, At("10.2.0.1", 80)), "allow 1 none");
  const Policy deny_first = Rules({{kDeny, "10.1.0.0/16:*"}, {kAllow, "10.0.0.0/8:*"}});
  EXPECT_EQ(Said(deny_first, At("10.1.2.3", 80)), "deny 1 deny-rule");
  EXPECT_EQ(Said(deny_first, At("10.2.0.1", 80)), "allow 2 none");
}

TEST(PolicyTest, AWiderDenyBeatsANarrowerAllow) {
  const Policy policy = Rules({{kAllow, "10.1.2.3:443"}, {kDeny, "0.0.0.0/0:*"}});
  EXPECT_EQ(Said(policy, At("10.1.2.3", 443)), "deny 2 deny-rule");
}

TEST(PolicyTest, ADenyRuleHoldsForItsPortsOnly) {
  const Policy policy = Rules({{kAllow, "192.0.2.1:*"}, {kDeny, "192.0.2.1:25"}});
  EXPECT_EQ(Said(policy, At("192.0.2.1", 25)), "deny 2 deny-rule");
  EXPECT_EQ(Said(policy, At("192.0.2.1", 26)), "allow 1 none");
}

TEST(PolicyTest, TheFirstRuleThatDecidesIsNamed) {
  const Policy policy = Rules({{kAllow, "192.0.2.9:1"},
                               {kAllow, "192.0.2.0/24:443"},
                               {kAllow, "192.0.2.1:443"},
                               {kDeny, "198.51.100.0/24:*"},
                               {kDeny, "198.51.100.1:*"}});
  EXPECT_EQ(Said(policy, At("192.0.2.1", 443)), "allow 2 none");
  EXPECT_EQ(Said(policy, At("198.51.100.1", 443)), "deny 4 deny-rule");
}

TEST(PolicyTest, AMappedAddressIsJudgedAsIpv4) {
  const Policy policy = Rules({{kAllow, "[::/0]:*"}, {kDeny, "127.0.0.0/8:*"}});
  EXPECT_EQ(Said(policy, At("::ffff:127.0.0.1", 80)), "deny 2 deny-rule");
  EXPECT_EQ(Said(policy, At("::ffff:192.0.2.1", 80)), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, At("2001:db8::1", 80)), "allow 1 none");
}

TEST(PolicyTest, AScopeDoesNotHideAnAddress) {
  const Policy policy = Rules({{kAllow, "[::/0]:*"}, {kDeny, "[fe80::/10]:*"}});
  const Endpoint link_local = Endpoint::Ip(*IpAddress::Parse("fe80::1"), 80, 7);
  EXPECT_EQ(Said(policy, link_local), "deny 2 deny-rule");
}

TEST(PolicyTest, NoRuleCoversPortZero) {
  EXPECT_EQ(Said(Rules({{kAllow, "0.0.0.0/0:*"}}), At("192.0.2.1", 0)), "deny 0 no-rule-matches");
}

TEST(PolicyTest, RulesAreForStreamsOverIp) {
  const Policy policy = Rules({{kAllow, "0.0.0.0/0:*"}, {kAllow, "[::/0]:*"}});
  EXPECT_EQ(Said(policy, At("192.0.2.1", 53), Transport::kDatagram), "deny 0 transport");
  EXPECT_EQ(Said(policy, *Endpoint::Unix("/run/x")), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, *Endpoint::Unix({"\0bus", 4})), "deny 0 no-rule-matches");
  EXPECT_EQ(Said(policy, *Endpoint::Unix("/run/x"), Transport::kDatagram),
            "deny 0 no-rule-matches");
}

TEST(RuleTest, ParsesBothFamilies) {
  EXPECT_EQ(Parse(kAllow, "192.0.2.0/24:80,443").range.ToString(), "192.0.2.0/24");
  EXPECT_EQ(Parse(kAllow, "[2001:db8::/32]:*").range.ToString(), "2001:db8::/32");
  EXPECT_EQ(Parse(kAllow, "[::1]:8000-8100").range.ToString(), "::1/128");
  EXPECT_EQ(Parse(kDeny, "192.0.2.1:1").decision, kDeny);
}

// The half that is wrong, in the words of the error.
TEST(RuleTest, SaysWhichHalfIsWrong) {
  const struct {
    const char* text;
    const char* error;
  } kTable[] = {
      {"", "is not CIDR:PORTS"},
      {"192.0.2.1", "is not CIDR:PORTS"},
      {"2001:db8::1:80", "is not CIDR:PORTS"},
      {"2001:db8::/32", "is not CIDR:PORTS"},
      {"[192.0.2.1]:80", "is not CIDR:PORTS"},
      {"[2001:db8::]/32:80", "is not CIDR:PORTS"},
      {"[]:80", "is not CIDR:PORTS"},
      {"::1]:80", "is not CIDR:PORTS"},
      {"[::1:80", "is not CIDR:PORTS"},
      {"[::1]", "is not CIDR:PORTS"},
      {":80", "is no address range"},
      {"*:80", "is no address range"},
      {"example.com:80", "is no address range"},
      {"localhost:80", "is no address range"},
      {"0x7f.1:80", "is no address range"},
      {"2130706433:80", "is no address range"},
      {"0177.0.0.1:80", "is no address range"},
      {"10.0.0.1/8:80", "is no address range"},
      {"192.0.2.0/24 :80", "is no address range"},
      {"[[::1]]:80", "is no address range"},
      {"[::ffff:10.0.0.0/104]:80", "is no address range"},
      {"[fe80::1%2]:80", "is no address range"},
      {"192.0.2.1:", "is no list of ports"},
      {"192.0.2.1:0", "is no list of ports"},
      {"192.0.2.1: 80", "is no list of ports"},
      {"192.0.2.1:080", "is no list of ports"},
      {"192.0.2.1:https", "is no list of ports"},
      {"[::1]:80-", "is no list of ports"},
  };
  for (const auto& row : kTable) {
    const auto rule = Rule::Parse(kAllow, row.text);
    ASSERT_FALSE(rule.ok()) << row.text;
    const std::string message(rule.status().message());
    EXPECT_NE(message.find(row.error), std::string::npos) << row.text << ": " << message;
    EXPECT_NE(message.find(row.text), std::string::npos) << row.text << ": " << message;
  }
}

}  // namespace
}  // namespace sockgate
