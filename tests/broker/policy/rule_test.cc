#include "broker/policy/rule.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

constexpr auto kAllow = Decision::kAllow;
constexpr auto kDeny = Decision::kDeny;

std::string Range(absl::string_view text) {
  const auto rule = Rule::Parse(kAllow, text);
  return rule.ok() ? std::get<Cidr>(rule->target).ToString() : rule.status().ToString();
}

TEST(RuleTest, ParsesBothFamilies) {
  EXPECT_EQ(Range("192.0.2.0/24:80,443"), "192.0.2.0/24");
  EXPECT_EQ(Range("[2001:db8::/32]:*"), "2001:db8::/32");
  EXPECT_EQ(Range("[::1]:8000-8100"), "::1/128");
}

TEST(RuleTest, ADenyRuleIsForUdpToo) {
  EXPECT_FALSE(Rule::Parse(kAllow, "192.0.2.1:1")->transports.Contains(Transport::kDatagram));
  EXPECT_TRUE(Rule::Parse(kDeny, "192.0.2.1:1")->transports.Contains(Transports::Both()));
}

TEST(RuleTest, PrintsWhatItSays) {
  EXPECT_EQ(OnCidr(kAllow, "192.0.2.0/24", "443").ToString(), "allow 192.0.2.0/24 ports 443 tcp");
  EXPECT_EQ(OnCidr(kDeny, "::/0").ToString(), "deny ::/0 all ports tcp and udp");
  EXPECT_EQ(OnHost(kAllow, "*.example.com", "80,443").ToString(),
            "allow *.example.com ports 80,443 tcp");
  EXPECT_EQ(Private(OnHost(kAllow, "intern.example", "1")).ToString(),
            "allow intern.example ports 1 tcp private");
  EXPECT_EQ(OnPublic(kAllow, "443").ToString(), "allow public ports 443 tcp");
  EXPECT_EQ(Udp(OnPublic(kAllow, "443")).ToString(), "allow public ports 443 udp");
  EXPECT_EQ(OnUnix(kAllow, "/run/x").ToString(), "allow unix /run/x");
}

TEST(UnixPathTest, TakesAPathThatIsSpelledOut) {
  for (const char* path : {"/x", "/run/app.sock", "/a b/..c/.d", "/run/\xff"}) {
    EXPECT_TRUE(UnixPath::Parse(path).ok()) << path;
  }
  EXPECT_TRUE(UnixPath::Parse("/" + std::string(106, 'x')).ok());
}

TEST(UnixPathTest, SaysWhatIsWrong) {
  const struct {
    std::string text;
    const char* error;
  } kTable[] = {
      {"", "is no absolute path"},
      {"run/x", "is no absolute path"},
      {"@abstract", "is no absolute path"},
      {std::string("\0abstract", 9), "is no absolute path"},
      {"/", "has a slash too many"},
      {"/run/", "has a slash too many"},
      {"//run", "has a slash too many"},
      {"/run//x", "has a slash too many"},
      {"/./x", "is not spelled out"},
      {"/run/../x", "is not spelled out"},
      {"/run/..", "is not spelled out"},
      {"/run/.", "is not spelled out"},
      {std::string("/run\0x", 6), "has a NUL in it"},
      {"/" + std::string(107, 'x'), "is longer than the 107 bytes"},
  };
  for (const auto& row : kTable) {
    const auto path = UnixPath::Parse(row.text);
    ASSERT_FALSE(path.ok()) << row.text;
    EXPECT_NE(std::string(path.status().message()).find(row.error), std::string::npos)
        << path.status();
  }
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
}  // namespace sockgate::testing
