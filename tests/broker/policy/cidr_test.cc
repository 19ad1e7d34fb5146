#include "broker/policy/cidr.h"

#include <gtest/gtest.h>

#include <string>

namespace sockgate {
namespace {

std::string Parsed(absl::string_view text) {
  const auto range = Cidr::Parse(text);
  return range.has_value() ? range->ToString() : "none";
}

bool Contains(absl::string_view range, absl::string_view address) {
  return Cidr::Parse(range)->Contains(*IpAddress::Parse(address));
}

TEST(CidrTest, ParsesRangesAndSingleAddresses) {
  EXPECT_EQ(Parsed("192.0.2.0/24"), "192.0.2.0/24");
  EXPECT_EQ(Parsed("192.0.2.1"), "192.0.2.1/32");
  EXPECT_EQ(Parsed("192.0.2.1/32"), "192.0.2.1/32");
  EXPECT_EQ(Parsed("0.0.0.0/0"), "0.0.0.0/0");
  EXPECT_EQ(Parsed("2001:db8::/32"), "2001:db8::/32");
  EXPECT_EQ(Parsed("2001:DB8:0::1"), "2001:db8::1/128");
  EXPECT_EQ(Parsed("::/0"), "::/0");
  EXPECT_EQ(Parsed("::1/128"), "::1/128");
}

TEST(CidrTest, RefusesHostBits) {
  EXPECT_EQ(Parsed("10.0.0.1/8"), "none");
  EXPECT_EQ(Parsed("10.0.0.1/31"), "none");
  EXPECT_EQ(Parsed("0.0.0.1/0"), "none");
  EXPECT_EQ(Parsed("128.0.0.0/0"), "none");
  EXPECT_EQ(Parsed("192.0.2.128/24"), "none");
  EXPECT_EQ(Parsed("192.0.2.128/25"), "192.0.2.128/25");
  EXPECT_EQ(Parsed("2001:db8::1/127"), "none");
  EXPECT_EQ(Parsed("2001:db8:8000::/32"), "none");
}

TEST(CidrTest, RefusesEveryOtherSpelling) {
  const std::string kTable[] = {
      "",
      "/",
      "/8",
      "10.0.0.0/",
      "10.0.0.0/33",
      "10.0.0.0/-8",
      "10.0.0.0/+8",
      "10.0.0.0/08",
      "10.0.0.0/00",
      "10.0.0.0/ 8",
      "10.0.0.0/8 ",
      " 10.0.0.0/8",
      "10.0.0.0/8/8",
      "10.0.0.0/0x8",
      "10.0.0.0/8.0",
      "10.0.0.0/4294967304",
      "10.0.0.0/255.0.0.0",
      std::string("10.0.0.0/8\0", 11),
      std::string("10.0.0.0\0/8", 11),
      "10/8",
      "10.0/16",
      "012.0.0.0/8",
      "0x0a000000/8",
      "167772160/8",
      "10.*.*.*",
      "*",
      "example.com/8",
      "::/129",
      "::/0128",
      "::/1000",
      "[::]/0",
      "[::/0]",
      "fe80::%1/64",
      "fe80::/64%1",
  };
  for (const std::string& text : kTable) EXPECT_EQ(Parsed(text), "none") << text;
}

TEST(CidrTest, RefusesMappedRanges) {
  EXPECT_EQ(Parsed("::ffff:10.0.0.0/104"), "none");
  EXPECT_EQ(Parsed("::ffff:10.0.0.0/8"), "none");
  EXPECT_EQ(Parsed("::ffff:0:0/96"), "none");
  EXPECT_EQ(Parsed("::ffff:127.0.0.1"), "none");
}

TEST(CidrTest, ContainsFromItsFirstAddressToItsLast) {
  const struct {
    const char* range;
    const char* before;
    const char* first;
    const char* last;
    const char* after;
  } kTable[] = {
      {"10.0.0.0/8", "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
      {"172.16.0.0/12", "172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
      {"192.0.2.4/31", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6"},
      {"192.0.2.4/32", "192.0.2.3", "192.0.2.4", "192.0.2.4", "192.0.2.5"},
      {"128.0.0.0/1", "127.255.255.255", "128.0.0.0", "255.255.255.255", "0.0.0.0"},
      {"fe80::/10", "fe7f:ffff::", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::"},
      {"2001:db8::/127", "2001:db7::", "2001:db8::", "2001:db8::1", "2001:db8::2"},
      {"::1/128", "::", "::1", "::1", "::2"},
  };
  for (const auto& row : kTable) {
    EXPECT_FALSE(Contains(row.range, row.before)) << row.range;
    EXPECT_TRUE(Contains(row.range, row.first)) << row.range;
    EXPECT_TRUE(Contains(row.range, row.last)) << row.range;
    EXPECT_FALSE(Contains(row.range, row.after)) << row.range;
  }
}

TEST(CidrTest, EveryAddressOfOneFamilyIsNoneOfTheOther) {
  EXPECT_TRUE(Contains("0.0.0.0/0", "255.255.255.255"));
  EXPECT_TRUE(Contains("::/0", "ffff::"));
  EXPECT_FALSE(Contains("0.0.0.0/0", "::"));
  EXPECT_FALSE(Contains("::/0", "0.0.0.0"));
}

TEST(CidrTest, AMappedAddressIsInTheIpv4Range) {
  EXPECT_TRUE(Contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_FALSE(Contains("::/0", "::ffff:10.1.2.3"));
}

TEST(CidrTest, HasABaseAndAPrefix) {
  EXPECT_EQ(Cidr::Parse("10.0.0.0/8")->base(), *IpAddress::Parse("10.0.0.0"));
  EXPECT_EQ(Cidr::Parse("10.0.0.0/8")->prefix(), 8);
  EXPECT_TRUE(Cidr::Parse("10.0.0.0/8")->is_v4());
  EXPECT_EQ(Cidr::Parse("192.0.2.1")->prefix(), 32);
  EXPECT_EQ(Cidr::Parse("2001:db8::/32")->base(), *IpAddress::Parse("2001:db8::"));
  EXPECT_EQ(Cidr::Parse("2001:db8::/32")->prefix(), 32);
  EXPECT_FALSE(Cidr::Parse("2001:db8::/32")->is_v4());
  EXPECT_EQ(Cidr::Parse("2001:db8::1")->prefix(), 128);
  EXPECT_EQ(Cidr::Parse("::/0")->prefix(), 0);
}

TEST(CidrTest, EqualsTheSameRangeOnly) {
  EXPECT_TRUE(*Cidr::Parse("10.0.0.0/8") == *Cidr::Parse("10.0.0.0/8"));
  EXPECT_TRUE(*Cidr::Parse("192.0.2.1") == *Cidr::Parse("192.0.2.1/32"));
  EXPECT_TRUE(*Cidr::Parse("2001:DB8::/32") == *Cidr::Parse("2001:db8:0::/32"));
  EXPECT_FALSE(*Cidr::Parse("10.0.0.0/8") == *Cidr::Parse("10.0.0.0/9"));
  EXPECT_FALSE(*Cidr::Parse("10.0.0.0/8") == *Cidr::Parse("11.0.0.0/8"));
  EXPECT_FALSE(*Cidr::Parse("0.0.0.0/0") == *Cidr::Parse("::/0"));
  EXPECT_FALSE(*Cidr::Parse("0.0.0.0/32") == *Cidr::Parse("::/32"));
}

TEST(CidrTest, ContainsRangesThatLieInIt) {
  const struct {
    const char* outer;
    const char* inner;
    bool contains;
  } kTable[] = {
      {"10.0.0.0/8", "10.0.0.0/8", true},
      {"10.0.0.0/8", "10.0.0.0/9", true},
      {"10.0.0.0/8", "10.128.0.0/9", true},
      {"10.0.0.0/8", "10.255.255.255/32", true},
      {"10.0.0.0/8", "10.0.0.0/7", false},
      {"10.0.0.0/8", "11.0.0.0/8", false},
      {"10.0.0.0/8", "11.0.0.0/9", false},
      {"10.0.0.0/8", "9.255.255.255/32", false},
      {"10.0.0.0/8", "0.0.0.0/0", false},
      {"172.16.0.0/12", "172.31.0.0/16", true},
      {"172.16.0.0/12", "172.32.0.0/16", false},
      {"192.0.2.1/32", "192.0.2.1/32", true},
      {"192.0.2.1/32", "192.0.2.0/31", false},
      {"0.0.0.0/0", "0.0.0.0/0", true},
      {"0.0.0.0/0", "255.255.255.255/32", true},
      {"::/0", "::/0", true},
      {"::/0", "8000::/1", true},
      {"::/3", "64:ff9b::/96", true},
      {"::/3", "2000::/3", false},
      {"fe80::/10", "febf::/16", true},
      {"fe80::/10", "fec0::/16", false},
      {"2001:db8::/32", "2001:db8::/31", false},
      {"2001:db8::/32", "2001:db8::1/128", true},
      {"0.0.0.0/0", "::/0", false},
      {"::/0", "0.0.0.0/0", false},
      {"::/0", "10.0.0.0/8", false},
      {"0.0.0.0/8", "::/96", false},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(Cidr::Parse(row.outer)->Contains(*Cidr::Parse(row.inner)), row.contains)
        << row.outer << " " << row.inner;
  }
}

}  // namespace
}  // namespace sockgate
