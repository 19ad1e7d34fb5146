#include "broker/policy/embedded_v4.h"

#include <gtest/gtest.h>

#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace sockgate {
namespace {

// "192.0.2.1 by NAT64; ...", in the order found.
std::string Found(absl::string_view text) {
  std::string found;
  for (const EmbeddedV4& embedded : FindEmbeddedV4(*IpAddress::Parse(text))) {
    absl::StrAppend(&found, found.empty() ? "" : "; ", embedded.address.ToString(), " by ",
                    embedded.form);
  }
  return found;
}

struct Row {
  const char* address;
  const char* found;
};

void Expect(absl::Span<const Row> rows) {
  for (const Row& row : rows) EXPECT_EQ(Found(row.address), row.found) << row.address;
}

TEST(EmbeddedV4Test, FindsNothingInOrdinaryAddresses) {
  for (const char* address :
       {"0.0.0.0", "127.0.0.1", "169.254.169.254", "255.255.255.255", "::", "::1",
        "2606:4700:4700::1111", "2a00:1450:4001:82a::200e", "fe80::1", "fc00::7f00:1",
        "ff02::7f00:1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_EQ(Found(address), "") << address;
  }
}

TEST(EmbeddedV4Test, LeavesMappedAddressesFolded) { EXPECT_EQ(Found("::ffff:127.0.0.1"), ""); }

TEST(EmbeddedV4Test, FindsIpv4Compatible) {
  Expect({
      {"::127.0.0.1", "127.0.0.1 by IPv4-compatible"},
      {"::a9fe:a9fe", "169.254.169.254 by IPv4-compatible"},
      {"::2", "0.0.0.2 by IPv4-compatible"},
      {"::0.1.0.0", "0.1.0.0 by IPv4-compatible"},
      {"::255.255.255.255", "255.255.255.255 by IPv4-compatible"},
      {"::1:127.0.0.1", ""},
      {"::fffe:127.0.0.1", ""},
      {"::8000:0:127.0.0.1", ""},
      {"8000::127.0.0.1", ""},
  });
}

TEST(EmbeddedV4Test, FindsIpv4Translated) {
  Expect({
      {"::ffff:0:127.0.0.1", "127.0.0.1 by IPv4-translated"},
      {"::ffff:0:0:0", "0.0.0.0 by IPv4-translated"},
      {"::ffff:0:255.255.255.255", "255.255.255.255 by IPv4-translated"},
      {"::fffe:0:127.0.0.1", ""},
      {"::7fff:0:127.0.0.1", ""},
      {"::ffff:1:127.0.0.1", ""},
      {"::1:ffff:0:127.0.0.1", ""},
      {"8000::ffff:0:127.0.0.1", ""},
  });
}

TEST(EmbeddedV4Test, FindsNat64) {
  Expect({
      {"64:ff9b::127.0.0.1", "127.0.0.1 by NAT64"},
      {"64:ff9b::a9fe:a9fe", "169.254.169.254 by NAT64"},
      {"64:ff9b::8.8.8.8", "8.8.8.8 by NAT64"},
      {"64:ff9b::", "0.0.0.0 by NAT64"},
      {"64:ff9b::255.255.255.255", "255.255.255.255 by NAT64"},
      {"64:ff9b::1:127.0.0.1", ""},
      {"64:ff9b:0:1::127.0.0.1", ""},
      {"64:ff9b:8000::127.0.0.1", ""},
      {"64:ff9a::127.0.0.1", ""},
      {"65:ff9b::127.0.0.1", ""},
      {"8064:ff9b::127.0.0.1", ""},
  });
}

TEST(EmbeddedV4Test, Finds6to4) {
  Expect({
      {"2002:7f00:1::", "127.0.0.1 by 6to4"},
      {"2002:a9fe:a9fe:1:2:3:4:5", "169.254.169.254 by 6to4"},
      {"2002::", "0.0.0.0 by 6to4"},
      {"2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "255.255.255.255 by 6to4"},
      {"2003:7f00:1::", ""},
      {"2012:7f00:1::", ""},
      {"2202:7f00:1::", ""},
      {"a002:7f00:1::", ""},
  });
}

TEST(EmbeddedV4Test, FindsBothEndsOfTeredo) {
  Expect({
      {"2001:0:4136:e378:8000:63bf:3fff:fdd2",
       "65.54.227.120 by Teredo server; 192.0.2.45 by Teredo client"},
      {"2001:0:a00:1:0:0:80ff:fffe", "10.0.0.1 by Teredo server; 127.0.0.1 by Teredo client"},
      {"2001::", "0.0.0.0 by Teredo server; 255.255.255.255 by Teredo client"},
      {"2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
       "255.255.255.255 by Teredo server; 0.0.0.0 by Teredo client"},
      {"2001:0:7f00:1::80ff:fffe", "127.0.0.1 by Teredo server"},
      {"2001:1:4136:e378:8000:63bf:3fff:fdd2", ""},
      {"2001:8000:4136:e378:8000:63bf:3fff:fdd2", ""},
      {"2000:0:4136:e378:8000:63bf:3fff:fdd2", ""},
      {"a001:0:4136:e378:8000:63bf:3fff:fdd2", ""},
  });
}

TEST(EmbeddedV4Test, FindsIsatapUnderAnyPrefix) {
  Expect({
      {"fe80::5efe:127.0.0.1", "127.0.0.1 by ISATAP"},
      {"fe80::200:5efe:127.0.0.1", "127.0.0.1 by ISATAP"},
      {"2606:4700:1:2:0:5efe:169.254.169.254", "169.254.169.254 by ISATAP"},
      {"2606:4700:1:2:200:5efe:169.254.169.254", "169.254.169.254 by ISATAP"},
      {"::5efe:127.0.0.1", "127.0.0.1 by ISATAP"},
      {"ff02::5efe:10.0.0.1", "10.0.0.1 by ISATAP"},
      {"fe80::5efe:0:0", "0.0.0.0 by ISATAP"},
      {"fe80::100:5efe:127.0.0.1", ""},
      {"fe80::300:5efe:127.0.0.1", ""},
      {"fe80::201:5efe:127.0.0.1", ""},
      {"fe80::8200:5efe:127.0.0.1", ""},
      {"fe80::1:5efe:127.0.0.1", ""},
      {"fe80::5eff:127.0.0.1", ""},
      {"fe80::5ffe:127.0.0.1", ""},
      {"fe80::de5e:127.0.0.1", ""},
  });
}

TEST(EmbeddedV4Test, FindsIsatapInsideOtherForms) {
  Expect({
      {"2002:808:808::5efe:10.0.0.1", "8.8.8.8 by 6to4; 10.0.0.1 by ISATAP"},
      {"2002:a00:1::5efe:10.0.0.1", "10.0.0.1 by 6to4"},
      {"2001:0:808:808:0:5efe:10.0.0.1",
       "8.8.8.8 by Teredo server; 245.255.255.254 by Teredo client; 10.0.0.1 by ISATAP"},
      {"2001:0:808:808:200:5efe:10.0.0.1",
       "8.8.8.8 by Teredo server; 245.255.255.254 by Teredo client; 10.0.0.1 by ISATAP"},
      {"2001:0:a00:1:0:5efe:10.0.0.1",
       "10.0.0.1 by Teredo server; 245.255.255.254 by Teredo client"},
  });
}

// 192.0.2.33 laid out as in RFC 6052 section 2.4.
TEST(EmbeddedV4LocalNat64Test, FindsEveryPrefixLength) {
  Expect({
      {"64:ff9b:1:c000:2:2100::",
       "192.0.2.33 by local-use NAT64 /48; 2.33.0.0 by local-use NAT64 /64"},
      {"64:ff9b:1:3c0:0:221::",
       "3.192.0.2 by local-use NAT64 /48; 192.0.2.33 by local-use NAT64 /56"},
      {"64:ff9b:1:344:c0:2:2100::",
       "3.68.192.0 by local-use NAT64 /48; 68.192.0.2 by local-use NAT64 /56; "
       "192.0.2.33 by local-use NAT64 /64; 33.0.0.0 by local-use NAT64 /96"},
      {"64:ff9b:1:344::192.0.2.33", "192.0.2.33 by local-use NAT64 /96"},
      {"64:ff9b:1::192.0.2.33", "192.0.2.33 by local-use NAT64 /96"},
      {"64:ff9b:1:fffe::10.0.0.1", "10.0.0.1 by local-use NAT64 /96"},
  });
}

TEST(EmbeddedV4LocalNat64Test, IsNotInOtherPrefixes) {
  for (const char* address :
       {"64:ff9b:0:c000:2:2100::", "64:ff9b:2:c000:2:2100::", "64:ff9b:3:c000:2:2100::",
        "64:ff9b:101:c000:2:2100::", "64:ff9b:8001:c000:2:2100::", "64:ff9a:1:c000:2:2100::",
        "64:7f9b:1:c000:2:2100::", "65:ff9b:1:c000:2:2100::", "8064:ff9b:1:c000:2:2100::"}) {
    EXPECT_EQ(Found(address), "") << address;
  }
}

// A translator need not look at the reserved byte and the suffix, so a worker may fill them.
TEST(EmbeddedV4LocalNat64Test, GarbageAfterAShortFormDoesNotHideIt) {
  Expect({
      {"64:ff9b:1:7f00:0:100::dead", "127.0.0.1 by local-use NAT64 /48"},
      {"64:ff9b:1:7f00:ff00:100:808:808",
       "127.0.0.1 by local-use NAT64 /48; 8.8.8.8 by local-use NAT64 /96"},
      {"64:ff9b:1:7f:0:1ff:ffff:ffff",
       "127.0.1.255 by local-use NAT64 /56; 255.255.255.255 by local-use NAT64 /96"},
      {"64:ff9b:1:909:7f:0:1ff:ffff",
       "9.9.127.0 by local-use NAT64 /48; 9.127.0.0 by local-use NAT64 /56; "
       "127.0.0.1 by local-use NAT64 /64; 1.255.255.255 by local-use NAT64 /96"},
  });
}

// Otherwise the zeros that follow a short form would deny it.
TEST(EmbeddedV4LocalNat64Test, IsThisNetworkOnlyIfItIsNothingElse) {
  Expect({
      {"64:ff9b:1::", "0.0.0.0 by local-use NAT64 /96"},
      {"64:ff9b:1::1", "0.0.0.1 by local-use NAT64 /96"},
      {"64:ff9b:1:a00::", "10.0.0.0 by local-use NAT64 /48"},
      {"64:ff9b:1:a::", "10.0.0.0 by local-use NAT64 /56"},
      {"64:ff9b:1:0:a::", "10.0.0.0 by local-use NAT64 /64"},
      {"64:ff9b:1::10.0.0.0", "10.0.0.0 by local-use NAT64 /96"},
  });
}

TEST(EmbeddedV4LocalNat64Test, MayEndLikeIsatap) {
  Expect({
      {"64:ff9b:1::5efe:10.0.0.1", "10.0.0.1 by local-use NAT64 /96"},
      {"64:ff9b:1:a:0:5efe:0:0", "10.0.94.254 by local-use NAT64 /56; 0.0.0.0 by ISATAP"},
  });
}

// The list has no room to spare: forms must never add up to more.
TEST(EmbeddedV4Test, FindsNothingTwiceHoweverFormsCombine) {
  const std::string kHeads[] = {"0:0:0",      "64:ff9b:0",  "64:ff9b:1", "2001:0:0",
                                "2001:0:a00", "2002:a00:0", "fe80:0:0"};
  const std::string kGroups[] = {":0", ":1", ":a00", ":200", ":5efe", ":ffff"};
  std::vector<std::string> addresses(std::begin(kHeads), std::end(kHeads));
  for (int group = 3; group < 8; ++group) {
    std::vector<std::string> longer;
    for (const std::string& head : addresses) {
      for (const std::string& tail : kGroups) longer.push_back(head + tail);
    }
    addresses = std::move(longer);
  }
  for (const std::string& address : addresses) {
    std::set<std::string> seen;
    for (const EmbeddedV4& embedded : FindEmbeddedV4(*IpAddress::Parse(address))) {
      EXPECT_TRUE(embedded.address.is_v4()) << address;
      EXPECT_TRUE(seen.insert(embedded.address.ToString()).second) << address;
    }
  }
}

}  // namespace
}  // namespace sockgate
