#include "client/address_order.h"

#include <gtest/gtest.h>

#include <string>

namespace sockgate {
namespace {

// RFC 6724, section 2.1 and 3.
TEST(AddressOrderTest, PrecedenceAndScope) {
  const struct {
    const char* address;
    int precedence;
    int scope;
  } cases[] = {
      {"::1", 50, 0x2},         {"2001:db8::1", 40, 0xe},
      {"2001:1::1", 40, 0xe},   {"192.0.2.1", 35, 0xe},
      {"10.0.0.1", 35, 0xe},    {"127.0.0.1", 35, 0x2},
      {"169.254.0.1", 35, 0x2}, {"2002:c000:201::1", 30, 0xe},
      {"2001::1", 5, 0xe},      {"2001:0:ffff::1", 5, 0xe},
      {"fc00::1", 3, 0xe},      {"fdff::1", 3, 0xe},
      {"fe00::1", 40, 0xe},     {"fe80::1", 40, 0x2},
      {"fec0::1", 1, 0x5},      {"feff::1", 1, 0x5},
      {"3ffe::1", 1, 0xe},      {"3fff::1", 40, 0xe},
      {"::", 1, 0xe},           {"::192.0.2.1", 1, 0xe},
      {"::1:0:0", 40, 0xe},     {"ff02::1", 40, 0x2},
      {"ff0e::1", 40, 0xe},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(PrecedenceOf(*IpAddress::Parse(one.address)), one.precedence) << one.address;
    EXPECT_EQ(ScopeOf(*IpAddress::Parse(one.address)), one.scope) << one.address;
  }
}

std::string Ordered(const std::vector<const char*>& texts) {
  std::vector<HostAddress> addresses;
  for (const char* text : texts) addresses.push_back({*IpAddress::Parse(text), 0, false});
  OrderAddresses(&addresses);
  std::string line;
  for (const HostAddress& address : addresses) line += address.ip.ToString() + " ";
  return line;
}

TEST(AddressOrderTest, Lists) {
  EXPECT_EQ(Ordered({"192.0.2.1", "2001:db8::1"}), "2001:db8::1 192.0.2.1 ");
  EXPECT_EQ(Ordered({"fd00::1", "192.0.2.1"}), "192.0.2.1 fd00::1 ");
  EXPECT_EQ(Ordered({"192.0.2.1", "169.254.1.1"}), "169.254.1.1 192.0.2.1 ");
  EXPECT_EQ(Ordered({"2001:db8::1", "fe80::1"}), "fe80::1 2001:db8::1 ");
  EXPECT_EQ(Ordered({"127.0.0.1", "::1"}), "::1 127.0.0.1 ");
  EXPECT_EQ(Ordered({"192.0.2.3", "192.0.2.1", "192.0.2.2"}), "192.0.2.3 192.0.2.1 192.0.2.2 ")
      << "the resolver's order stays";
  EXPECT_EQ(Ordered({}), "");
}

}  // namespace
}  // namespace sockgate
