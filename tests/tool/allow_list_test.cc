#include "tool/allow_list.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

// The rule that --allow makes of the text, or the error.
std::string Allowed(absl::string_view text) {
  AllowList list;
  const absl::Status status = list.Add(text);
  return status.ok() ? list.rules().at(0).ToString() : absl::StrCat("? ", status.message());
}

std::string AllowedPrivate(absl::string_view text) {
  AllowList list;
  const absl::Status status = list.AddPrivate(text);
  return status.ok() ? list.rules().at(0).ToString() : absl::StrCat("? ", status.message());
}

TEST(AllowListTest, NumbersItsRulesFromOneAndKnowsWhereEachCameFrom) {
  AllowList list;
  ASSERT_TRUE(list.Add("192.0.2.0/24:80,443").ok());
  ASSERT_TRUE(list.AddPrivate("a.example:*").ok());
  ASSERT_EQ(list.rules().size(), 2U);
  EXPECT_EQ(list.Source(0), "");
  EXPECT_EQ(list.Source(1), "--allow 192.0.2.0/24:80,443");
  EXPECT_EQ(list.Source(2), "--allow-private a.example:*");
  EXPECT_EQ(list.Source(3), "");
}

TEST(AllowListTest, TakesNamesPatternsAddressesAndPublic) {
  EXPECT_EQ(Allowed("Example.COM.:443"), "allow example.com ports 443 tcp");
  EXPECT_EQ(Allowed("*.example.com:80,443"), "allow *.example.com ports 80,443 tcp");
  EXPECT_EQ(Allowed("b\xc3\xbc"
                    "cher.example:443"),
            "allow xn--bcher-kva.example ports 443 tcp");
  EXPECT_EQ(Allowed("public:80,443"), "allow public ports 80,443 tcp");
  EXPECT_EQ(Allowed("192.0.2.0/24:80"), "allow 192.0.2.0/24 ports 80 tcp");
  EXPECT_EQ(Allowed("[2001:db8::/32]:*"), "allow 2001:db8::/32 all ports tcp");
}

TEST(AllowListTest, ANameIsPrivateOnlyWhereItIsSaidOrIsLocalhost) {
  EXPECT_EQ(Allowed("localhost:80"), "allow localhost ports 80 tcp private");
  EXPECT_EQ(Allowed("a.LocalHost.:80"), "allow a.localhost ports 80 tcp private");
  EXPECT_EQ(Allowed("*.localhost:80"), "allow *.localhost ports 80 tcp private");
  EXPECT_EQ(Allowed("notlocalhost:80"), "allow notlocalhost ports 80 tcp");
  EXPECT_EQ(Allowed("localhost.example:80"), "allow localhost.example ports 80 tcp");
  EXPECT_EQ(AllowedPrivate("a.example:80"), "allow a.example ports 80 tcp private");
  EXPECT_EQ(AllowedPrivate("*.example:80"), "allow *.example ports 80 tcp private");
}

TEST(AllowListTest, ASlipInAnAddressIsNotTakenForAName) {
  for (const char* text :
       {"1.2.3:80", "1.2.3.4/33:80", "2001:db8::1:80", "[::1:80", "1.2.3.256:80",
        "[2001:db8::/32:80", "10.0.0.1/8:80", "2130706433:80", "1.2.3.4.5:80", ":80"}) {
    EXPECT_EQ(Allowed(text)[0], '?') << text;
    EXPECT_EQ(AllowedPrivate(text)[0], '?') << text;
  }
  EXPECT_EQ(Allowed("0x7f.1:80"),
            "? '0x7f.1' in '0x7f.1:80' is an address, oddly written: write 127.0.0.1:80");
  EXPECT_EQ(AllowedPrivate("10.0.0.1:80"),
            "? '10.0.0.1' in '10.0.0.1:80' is no name: --allow takes addresses, private ones too");
}

TEST(AllowListTest, ErrorsSayWhatToWrite) {
  EXPECT_EQ(Allowed("*:443"),
            "? '*' in '*:443' would cover every name: write public:443, or *.example.com:443 for "
            "the names below one");
  EXPECT_EQ(Allowed("a.*:443").find("? 'a.*' in 'a.*:443' has a star elsewhere"), 0U);
  EXPECT_EQ(Allowed("https://a.example"),
            "? 'https://a.example' is a URL: write its host and ports, such as example.com:443");
  EXPECT_EQ(Allowed("user@a.example:443").find("? 'user@a.example'"), 0U);
}

TEST(AllowListTest, PublicIsNoName) {
  EXPECT_EQ(Allowed("Public:80"), Allowed("public:80"));
  EXPECT_EQ(AllowedPrivate("PUBLIC:80"), "? 'PUBLIC' in 'PUBLIC:80' is no name: --allow takes it");
  EXPECT_EQ(Allowed(""), "? '' names nothing: write HOST:PORTS");
}

TEST(AllowListTest, PortsMustBeSaid) {
  EXPECT_EQ(Allowed("example.com"),
            "? 'example.com' names no ports: write 'example.com:443', 'example.com:80,443' or "
            "'example.com:*'");
  EXPECT_EQ(Allowed("[2001:db8::1]").find("? '[2001:db8::1]' names no ports"), 0U);
  for (const char* text : {"localhost:", "localhost:http", "localhost:0", "public:", "*.a.b:x"}) {
    EXPECT_NE(Allowed(text).find("is no list of ports: 443, 8000-8100 or *"), std::string::npos)
        << text;
  }
}

}  // namespace
}  // namespace sockgate
