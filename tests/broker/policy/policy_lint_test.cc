// Rules and roles that are allowed to stand in a policy file but are hardly meant. Each case has
// one neighbour that is fine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/broker/policy/load_policy.h"

namespace sockgate::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Of a role with these rules; the first allow rule stands in line 8, the first deny rule two lines
// after the last allow rule. Without "warning " and the column, which is that of the target.
Texts Warnings(const std::vector<std::string>& allow, const std::vector<std::string>& deny = {}) {
  std::string rules = "allow = [\n";
  for (const std::string& rule : allow) absl::StrAppend(&rules, "{ ", rule, " },\n");
  rules += "]\n";
  if (!deny.empty()) rules += "deny = [\n";
  for (const std::string& rule : deny) absl::StrAppend(&rules, "{ ", rule, " },\n");
  if (!deny.empty()) rules += "]\n";
  const LoadedPolicy loaded = ParsePolicy(WithRules(rules));
  EXPECT_FALSE(HasError(loaded)) << InWords(loaded).front();
  Texts said;
  for (const Finding& finding : loaded.findings) {
    said.push_back(absl::StrCat(finding.line, ": ", finding.message));
  }
  return said;
}

std::string Host(const std::string& name, const std::string& ports = "443") {
  return "host = \"" + name + "\", ports = \"" + ports + "\"";
}
std::string Range(const std::string& cidr, const std::string& ports = "443") {
  return "cidr = \"" + cidr + "\", ports = \"" + ports + "\"";
}
std::string Public(const std::string& ports = "443") {
  return "public = true, ports = \"" + ports + "\"";
}
const std::string kPrivate = ", private = true";
const std::string kUdp = ", transport = \"udp\"";

TEST(PolicyLintTest, AnAllowRuleThatADenyRuleUndoes) {
  const std::string by_10 = "8: the rule allows nothing: line 11 denies all of it";
  EXPECT_THAT(Warnings({Host("a.example")}, {Host("a.example")}), ElementsAre(by_10));
  EXPECT_THAT(Warnings({Host("a.b.example")}, {"host = \"*.example\""}), ElementsAre(by_10));
  EXPECT_THAT(Warnings({Range("10.1.0.0/16")}, {Range("10.0.0.0/8")}), ElementsAre(by_10));
  EXPECT_THAT(Warnings({Range("10.1.0.0/16")}, {Range("0.0.0.0/0")}), ElementsAre(by_10));
  EXPECT_THAT(Warnings({"unix = \"/run/x\""}, {"unix = \"/run/x\""}), ElementsAre(by_10));
  EXPECT_THAT(Warnings({Public()}, {Public("1-1000")}), ElementsAre(by_10));
  EXPECT_THAT(Warnings({Host("a.example")}, {Public()}), ElementsAre(by_10));
  EXPECT_THAT(Warnings({Range("9.9.9.0/24")}, {Public()}), ElementsAre(by_10));
}

TEST(PolicyLintTest, AnAllowRuleThatADenyRuleLeavesSomethingOf) {
  EXPECT_THAT(Warnings({Host("*.example.org")}, {Host("a.example.org")}), IsEmpty());
  EXPECT_THAT(Warnings({Host("a.example", "443,80")}, {Host("a.example")}), IsEmpty());
  EXPECT_THAT(Warnings({Host("a.example") + ", transport = \"any\""},
                       {Host("a.example") + ", transport = \"tcp\""}),
              IsEmpty());
  EXPECT_THAT(Warnings({Range("10.0.0.0/8")}, {Range("10.1.0.0/16")}), IsEmpty());
  EXPECT_THAT(Warnings({Host("a.example") + kPrivate}, {Public()}), IsEmpty());
}

TEST(PolicyLintTest, ARuleThatAddsNothing) {
  EXPECT_THAT(Warnings({Host("a.example"), Host("A.example.")}),
              ElementsAre("9: the rule says the same as line 8"));
  EXPECT_THAT(Warnings({Host("a.b.example"), Host("*.b.example", "*")}),
              ElementsAre("8: the rule adds nothing to line 9"));
  EXPECT_THAT(Warnings({Range("10.1.0.0/16"), Range("10.0.0.0/8")}),
              ElementsAre("8: the rule adds nothing to line 9"));
  EXPECT_THAT(Warnings({Public(), Host("a.example")}),
              ElementsAre("9: the rule adds nothing to line 8"));
  EXPECT_THAT(Warnings({Public(), Range("9.9.9.0/24")}),
              ElementsAre("9: the rule adds nothing to line 8"));
  EXPECT_THAT(Warnings({Public("*"), Public()}), ElementsAre("9: the rule adds nothing to line 8"));
  EXPECT_THAT(Warnings({Public("*")}, {Range("10.0.0.0/8"), Range("10.0.0.0/16"), Public("25")}),
              ::testing::Contains("12: the rule adds nothing to line 11"));
}

TEST(PolicyLintTest, ARuleThatAddsSomething) {
  EXPECT_THAT(Warnings({Host("a.example"), Host("a.example", "80")}), IsEmpty());
  EXPECT_THAT(Warnings({Host("a.example"), Host("a.example") + kUdp}), IsEmpty());
  EXPECT_THAT(Warnings({Public(), Host("a.example") + kPrivate}), IsEmpty());
  EXPECT_THAT(Warnings({Host("*.b.example"), Host("a.b.example") + kPrivate}), IsEmpty());
  EXPECT_THAT(Warnings({Host("*.b.example"), Host("b.example")}), IsEmpty());
  // The wider rule does not open the private range.
  EXPECT_THAT(Warnings({Range("0.0.0.0/0"), Range("10.0.0.0/8")}), IsEmpty());
  EXPECT_THAT(Warnings({Public(), Range("10.0.0.0/8")}), IsEmpty());
  EXPECT_THAT(Warnings({Range("192.0.0.0/24"), Range("192.0.0.8/32")}),
              ElementsAre(::testing::StartsWith("8: the rule does not open 192.0.0.0/29")));
}

TEST(PolicyLintTest, ADenyRuleThatDeniesNothing) {
  const std::string inert = "11: the rule denies nothing: no rule allows any of it";
  EXPECT_THAT(Warnings({Host("a.example")}, {Host("b.example")}), ElementsAre(inert));
  EXPECT_THAT(Warnings({Range("9.9.9.0/24")}, {Host("b.example")}), ElementsAre(inert));
  EXPECT_THAT(Warnings({Public()}, {Public("80")}), ElementsAre(inert));
  EXPECT_THAT(Warnings({Public()}, {Host("b.example", "80")}), ElementsAre(inert));
  EXPECT_THAT(Warnings({Public()}, {Range("10.0.0.0/8")}), ElementsAre(inert));
  EXPECT_THAT(Warnings({Range("9.9.9.0/24")}, {Range("9.9.8.0/24")}), ElementsAre(inert));
  EXPECT_THAT(Warnings({Range("10.0.0.0/8")}, {Public()}), ElementsAre(inert));
  EXPECT_THAT(Warnings({Public()}, {"unix = \"/run/x\""}), ElementsAre(inert));
}

TEST(PolicyLintTest, ADenyRuleThatMayDenySomething) {
  EXPECT_THAT(Warnings({Public()}, {Host("b.example")}), IsEmpty());
  EXPECT_THAT(Warnings({Host("a.example")}, {Range("9.9.9.0/24")}), IsEmpty());
  EXPECT_THAT(Warnings({Host("a.example") + kPrivate}, {Range("10.0.0.0/8")}), IsEmpty());
  EXPECT_THAT(Warnings({Range("9.9.9.0/24")}, {Range("9.9.9.9")}), IsEmpty());
  EXPECT_THAT(Warnings({Host("*.a.example")}, {Host("x.a.example")}), IsEmpty());
  EXPECT_THAT(Warnings({Host("x.a.example")}, {"host = \"*.a.example\", ports = 443,"
                                               " transport = \"udp\""}),
              ElementsAre("11: the rule denies nothing: no rule allows any of it"));
  // The name may be looked up for port 443, and then the range lets it be reached at port 25.
  EXPECT_THAT(Warnings({Host("a.example"), Range("9.0.0.0/8", "25")}, {Host("a.example", "25")}),
              IsEmpty());
}

TEST(PolicyLintTest, ARuleThatCanNeverMatch) {
  const std::string never = "8: the rule allows nothing: ";
  const std::string kernel = "to the kernel this address means loopback";
  EXPECT_THAT(Warnings({Range("0.0.0.0")}), ElementsAre(never + kernel));
  EXPECT_THAT(Warnings({Range("::/128")}), ElementsAre(never + kernel));
  EXPECT_THAT(Warnings({Host("localhost")}),
              ElementsAre(never + "the name leads to loopback addresses"));
  EXPECT_THAT(Warnings({Host("a.localhost")}),
              ElementsAre(never + "the name leads to loopback addresses"));
  EXPECT_THAT(Warnings({Host("localhost") + kPrivate}), IsEmpty());
  EXPECT_THAT(Warnings({Host("localhost"), Range("127.0.0.1")}), IsEmpty())
      << "the address is allowed, and the name has to be looked up";
  EXPECT_THAT(Warnings({Range("127.0.0.1")}), IsEmpty());
}

TEST(PolicyLintTest, ARuleOnThisHostThatIsDeniedAnyway) {
  const std::string rules = "allow = [ { cidr = \"127.0.0.0/16\", ports = 80 } ]";
  EXPECT_THAT(FindingsIn("deny_own_addresses = true\n" + WithRules(rules)),
              ElementsAre("warning 8:20 the rule allows nothing: 'deny_own_addresses' denies all"
                          " of it (remove it, or write deny_own_addresses = false)"));
}

TEST(PolicyLintTest, EmbeddedAddressesThatNoRuleAllows) {
  const std::string never = "8: the rule allows nothing: these addresses stand for IPv4 ones (";
  EXPECT_THAT(Warnings({Range("64:ff9b::/96")}),
              ElementsAre(never + "NAT64), which no rule allows"));
  EXPECT_THAT(Warnings({Range("2002::/16")}), ElementsAre(never + "6to4), which no rule allows"));
  EXPECT_THAT(Warnings({Range("64:ff9b::/96"), Public("80")}),
              ElementsAre(never + "NAT64), which no rule allows"));
  EXPECT_THAT(Warnings({Range("64:ff9b::a00:1"), Public()}),
              ElementsAre(never + "NAT64), which no rule allows"));
  EXPECT_THAT(Warnings({Range("64:ff9b::/96"), Public()}), IsEmpty());
  EXPECT_THAT(Warnings({Range("64:ff9b::a00:1"), Range("10.0.0.0/8")}), IsEmpty());
  EXPECT_THAT(Warnings({Range("64:ff9b::a00:1"), Host("a.example") + kPrivate}), IsEmpty());
}

TEST(PolicyLintTest, AWholeTopLevelDomain) {
  EXPECT_THAT(Warnings({Host("*.com")}),
              ElementsAre("8: the rule allows every name below com, whoever has it"));
  EXPECT_THAT(Warnings({Public()}, {Host("*.com")}), IsEmpty());
}

TEST(PolicyLintTest, ARangeThatIsWiderThanSpecialOnes) {
  EXPECT_THAT(Warnings({Range("192.0.0.0/8")}),
              ElementsAre("8: the rule does not open 192.0.0.0/24 (IETF protocol assignments),"
                          " 192.0.2.0/24 (documentation), 192.31.196.0/24 (AS112) and 4 more"));
  EXPECT_THAT(Warnings({Range("172.0.0.0/8")}),
              ElementsAre("8: the rule does not open 172.16.0.0/12 (private use)"));
  EXPECT_THAT(Warnings({Range("172.0.0.0/8"), Range("172.16.0.0/12")}), IsEmpty());
  EXPECT_THAT(Warnings({Range("172.0.0.0/8")}, {"cidr = \"172.16.0.0/16\""}),
              ElementsAre("11: the rule denies nothing: no rule allows any of it"));
  EXPECT_THAT(Warnings({Range("0.0.0.0/0"), Range("::/0")}), IsEmpty());
  EXPECT_THAT(Warnings({Range("10.0.0.0/8")}), IsEmpty());
}

TEST(PolicyLintTest, RolesThatNobodyCanUse) {
  EXPECT_THAT(FindingsIn("version = 1\n[roles.r]\n[roles.s]\nmode = \"report\"\n"),
              ElementsAre("warning 2:1 no path gives the role 'r'"
                          " (write [[listen]] with role = \"r\")",
                          "warning 2:1 the role 'r' may reach nothing (write allow = [ ... ])",
                          "warning 3:1 no path gives the role 's'"
                          " (write [[listen]] with role = \"s\")",
                          "warning 4:1 the role 's' enforces nothing"
                          " (write mode = \"enforce\" when it has reported enough)"));
}

TEST(PolicyLintTest, AGroupThatMayNotConnect) {
  const std::string listen = "version = 1\n[[listen]]\npath = \"/r\"\nrole = \"r\"\ngroup = 0\n";
  const std::string role = "[roles.r]\nallow = [ { public = true, ports = 80 } ]\n";
  EXPECT_THAT(FindingsIn(listen + role),
              ElementsAre("warning 5:1 the mode does not let the group connect"
                          " (write mode = \"0660\")"));
  EXPECT_THAT(FindingsIn(listen + "mode = \"0620\"\n" + role), IsEmpty());
}

// Of rules on one target only so many are compared: then nothing is said, and no time is lost.
TEST(PolicyLintTest, SaysNothingOfWhatIsTooMuchToCompare) {
  std::vector<std::string> allow;
  for (int port = 1; port <= 2000; ++port) allow.push_back(Range("9.9.9.9", absl::StrCat(port)));
  allow.push_back(Range("9.9.9.9", "2000"));
  EXPECT_THAT(Warnings(allow), IsEmpty());
}

}  // namespace
}  // namespace sockgate::testing
