#include "proto/ip_address.h"

#include <gtest/gtest.h>

#include <string>

namespace sockgate {
namespace {

std::string Printed(absl::string_view text) {
  const auto address = IpAddress::Parse(text);
  return address.has_value() ? address->ToString() : "none";
}

TEST(IpAddressTest, IsTheUnspecifiedIpv4AddressAtFirst) {
  const IpAddress address;
  EXPECT_TRUE(address.is_v4());
  EXPECT_EQ(address.size(), 4U);
  EXPECT_EQ(address.bits(), 32);
  EXPECT_EQ(address.ToString(), "0.0.0.0");
}

TEST(IpAddressTest, KeepsBytesInNetworkOrder) {
  const IpAddress v4 = IpAddress::V4({192, 0, 2, 1});
  EXPECT_EQ(std::string(v4.data(), v4.data() + v4.size()), std::string("\xc0\0\2\1", 4));
  const IpAddress v6 = IpAddress::V6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  EXPECT_FALSE(v6.is_v4());
  EXPECT_EQ(v6.bits(), 128);
  EXPECT_EQ(v6.data()[1], 0x01);
  EXPECT_EQ(v6.data()[15], 0x01);
}

TEST(IpAddressTest, PrintsIpv4) {
  EXPECT_EQ(Printed("0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(Printed("255.255.255.255"), "255.255.255.255");
  EXPECT_EQ(Printed("10.0.0.1"), "10.0.0.1");
}

// RFC 5952, section 4.
TEST(IpAddressTest, PrintsIpv6InItsOneCanonicalForm) {
  const struct {
    const char* from;
    const char* to;
  } kTable[] = {
      {"0:0:0:0:0:0:0:0", "::"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"1:0:0:0:0:0:0:0", "1::"},
      {"2001:0db8::0001", "2001:db8::1"},               // 4.1: no leading zeros
      {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},        // 4.2.1: as short as possible
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // 4.2.2: not for one group
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},          // 4.2.3: the longest run
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    // 4.2.3: the first of two
      {"2001:DB8:ABCD::EF", "2001:db8:abcd::ef"},       // 4.3: lower case
      {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
      {"fe80::1:2", "fe80::1:2"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (const auto& row : kTable) EXPECT_EQ(Printed(row.from), row.to) << row.from;
}

TEST(IpAddressTest, FoldsEveryMappedAddressToIpv4) {
  EXPECT_EQ(Printed("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Printed("::ffff:c000:201"), "192.0.2.1");
  EXPECT_EQ(Printed("0:0:0:0:0:FFFF:0:0"), "0.0.0.0");
  const IpAddress mapped = IpAddress::V6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1});
  EXPECT_TRUE(mapped.is_v4());
  EXPECT_EQ(mapped, IpAddress::V4({127, 0, 0, 1}));
}

TEST(IpAddressTest, FoldsNothingElse) {
  EXPECT_FALSE(IpAddress::Parse("::fffe:192.0.2.1")->is_v4());
  EXPECT_FALSE(IpAddress::Parse("::ffff:0:192.0.2.1")->is_v4());
  EXPECT_FALSE(IpAddress::Parse("::192.0.2.1")->is_v4());
  EXPECT_FALSE(IpAddress::Parse("1::ffff:192.0.2.1")->is_v4());
}

TEST(IpAddressTest, AnIpv4AddressIsNotTheIpv6AddressWithTheSameBytes) {
  const IpAddress v4 = IpAddress::V4({0x20, 0x01, 0, 0});
  const IpAddress v6 = IpAddress::V6({0x20, 0x01});
  EXPECT_NE(v4, v6);
  EXPECT_EQ(v4, IpAddress::V4({0x20, 0x01, 0, 0}));
  EXPECT_NE(v4, IpAddress::V4({0x20, 0x01, 0, 1}));
}

TEST(IpAddressTest, RefusesEveryOtherSpelling) {
  const std::string kTable[] = {
      "",
      " ",
      "127.0.0.1 ",
      " 127.0.0.1",
      "127.0.0.1\n",
      std::string("127.0.0.1\0", 10),
      std::string("127.0.0.1\0.example", 18),
      std::string("\0::1", 4),
      "127.1",
      "127.0.1",
      "2130706433",
      "0x7f000001",
      "0x7f.0.0.1",
      "0177.0.0.1",
      "127.0.0.01",
      "127.0.0.256",
      "127.0.0.-1",
      "127.0.0.+1",
      "127.0.0.1.",
      ".127.0.0.1",
      "127..0.1",
      "127.0.0.1:80",
      "127.0.0.1/32",
      "\xd9\xa1.0.0.1",
      "localhost",
      ":",
      ":::",
      ":1",
      "1:",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7::8:9",
      "12345::",
      "00001::",
      "g::",
      "[::1]",
      "::1]",
      "fe80::1%2",
      "fe80::1%eth0",
      "::1/128",
      "::ffff:127.1",
      "::ffff:0x7f.0.0.1",
      "1:2:3:4:5:6:7:127.0.0.1",
      "0000:0000:0000:0000:0000:0000:0000:00000000001",
  };
  for (const std::string& text : kTable) {
    EXPECT_FALSE(IpAddress::Parse(text).has_value()) << "'" << text << "'";
  }
}

TEST(IpAddressTest, TakesTheLongestSpellingThereIs) {
  EXPECT_EQ(Printed("0000:0000:0000:0000:0000:ffff:255.255.255.255"), "255.255.255.255");
}

}  // namespace
}  // namespace sockgate
