#include "broker/policy/special_ranges.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/broker/policy/special_ranges_rows.h"

namespace sockgate {
namespace {

constexpr SpecialRow kRows[] = {
    {"0.0.0.0/8",
     {"", ""},
     {"0.0.0.0", "this host"},
     {"0.255.255.255", "this network"},
     {"1.0.0.0", ""}},
    {"0.0.0.0/32",
     {"", ""},
     {"0.0.0.0", "this host"},
     {"0.0.0.0", "this host"},
     {"0.0.0.1", "this network"}},
    {"10.0.0.0/8",
     {"9.255.255.255", ""},
     {"10.0.0.0", "private use"},
     {"10.255.255.255", "private use"},
     {"11.0.0.0", ""}},
    {"100.64.0.0/10",
     {"100.63.255.255", ""},
     {"100.64.0.0", "shared address space"},
     {"100.127.255.255", "shared address space"},
     {"100.128.0.0", ""}},
    {"100.100.100.200/32",
     {"100.100.100.199", "shared address space"},
     {"100.100.100.200", "Alibaba Cloud metadata"},
     {"100.100.100.200", "Alibaba Cloud metadata"},
     {"100.100.100.201", "shared address space"}},
    {"127.0.0.0/8",
     {"126.255.255.255", ""},
     {"127.0.0.0", "loopback"},
     {"127.255.255.255", "loopback"},
     {"128.0.0.0", ""}},
    {"168.63.129.16/32",
     {"168.63.129.15", ""},
     {"168.63.129.16", "Azure platform"},
     {"168.63.129.16", "Azure platform"},
     {"168.63.129.17", ""}},
    {"169.254.0.0/16",
     {"169.253.255.255", ""},
     {"169.254.0.0", "link-local"},
     {"169.254.255.255", "link-local"},
     {"169.255.0.0", ""}},
    {"169.254.0.23/32",
     {"169.254.0.22", "link-local"},
     {"169.254.0.23", "Tencent Cloud metadata"},
     {"169.254.0.23", "Tencent Cloud metadata"},
     {"169.254.0.24", "link-local"}},
    {"169.254.42.42/32",
     {"169.254.42.41", "link-local"},
     {"169.254.42.42", "Scaleway metadata"},
     {"169.254.42.42", "Scaleway metadata"},
     {"169.254.42.43", "link-local"}},
    {"169.254.169.123/32",
     {"169.254.169.122", "link-local"},
     {"169.254.169.123", "EC2 time service"},
     {"169.254.169.123", "EC2 time service"},
     {"169.254.169.124", "link-local"}},
    {"169.254.169.253/32",
     {"169.254.169.252", "link-local"},
     {"169.254.169.253", "EC2 name server"},
     {"169.254.169.253", "EC2 name server"},
     {"169.254.169.254", "cloud metadata"}},
    {"169.254.169.254/32",
     {"169.254.169.253", "EC2 name server"},
     {"169.254.169.254", "cloud metadata"},
     {"169.254.169.254", "cloud metadata"},
     {"169.254.169.255", "link-local"}},
    {"169.254.170.2/32",
     {"169.254.170.1", "link-local"},
     {"169.254.170.2", "ECS task credentials"},
     {"169.254.170.2", "ECS task credentials"},
     {"169.254.170.3", "link-local"}},
    {"169.254.170.23/32",
     {"169.254.170.22", "link-local"},
     {"169.254.170.23", "EKS pod credentials"},
     {"169.254.170.23", "EKS pod credentials"},
     {"169.254.170.24", "link-local"}},
    {"172.16.0.0/12",
     {"172.15.255.255", ""},
     {"172.16.0.0", "private use"},
     {"172.31.255.255", "private use"},
     {"172.32.0.0", ""}},
    {"192.0.0.0/24",
     {"191.255.255.255", ""},
     {"192.0.0.0", "IPv4 service continuity"},
     {"192.0.0.255", "IETF protocol assignments"},
     {"192.0.1.0", ""}},
    {"192.0.0.0/29",
     {"191.255.255.255", ""},
     {"192.0.0.0", "IPv4 service continuity"},
     {"192.0.0.7", "IPv4 service continuity"},
     {"192.0.0.8", "IPv4 dummy address"}},
    {"192.0.0.8/32",
     {"192.0.0.7", "IPv4 service continuity"},
     {"192.0.0.8", "IPv4 dummy address"},
     {"192.0.0.8", "IPv4 dummy address"},
     {"192.0.0.9", "PCP anycast"}},
    {"192.0.0.9/32",
     {"192.0.0.8", "IPv4 dummy address"},
     {"192.0.0.9", "PCP anycast"},
     {"192.0.0.9", "PCP anycast"},
     {"192.0.0.10", "TURN anycast"}},
    {"192.0.0.10/32",
     {"192.0.0.9", "PCP anycast"},
     {"192.0.0.10", "TURN anycast"},
     {"192.0.0.10", "TURN anycast"},
     {"192.0.0.11", "IETF protocol assignments"}},
    {"192.0.0.170/32",
     {"192.0.0.169", "IETF protocol assignments"},
     {"192.0.0.170", "NAT64 discovery"},
     {"192.0.0.170", "NAT64 discovery"},
     {"192.0.0.171", "NAT64 discovery"}},
    {"192.0.0.171/32",
     {"192.0.0.170", "NAT64 discovery"},
     {"192.0.0.171", "NAT64 discovery"},
     {"192.0.0.171", "NAT64 discovery"},
     {"192.0.0.172", "IETF protocol assignments"}},
    {"192.0.0.192/32",
     {"192.0.0.191", "IETF protocol assignments"},
     {"192.0.0.192", "Oracle Cloud Classic metadata"},
     {"192.0.0.192", "Oracle Cloud Classic metadata"},
     {"192.0.0.193", "IETF protocol assignments"}},
    {"192.0.2.0/24",
     {"192.0.1.255", ""},
     {"192.0.2.0", "documentation"},
     {"192.0.2.255", "documentation"},
     {"192.0.3.0", ""}},
    {"192.31.196.0/24",
     {"192.31.195.255", ""},
     {"192.31.196.0", "AS112"},
     {"192.31.196.255", "AS112"},
     {"192.31.197.0", ""}},
    {"192.52.193.0/24",
     {"192.52.192.255", ""},
     {"192.52.193.0", "AMT"},
     {"192.52.193.255", "AMT"},
     {"192.52.194.0", ""}},
    {"192.88.99.0/24",
     {"192.88.98.255", ""},
     {"192.88.99.0", "6to4 relay anycast"},
     {"192.88.99.255", "6to4 relay anycast"},
     {"192.88.100.0", ""}},
    {"192.88.99.2/32",
     {"192.88.99.1", "6to4 relay anycast"},
     {"192.88.99.2", "6a44 relay anycast"},
     {"192.88.99.2", "6a44 relay anycast"},
     {"192.88.99.3", "6to4 relay anycast"}},
    {"192.168.0.0/16",
     {"192.167.255.255", ""},
     {"192.168.0.0", "private use"},
     {"192.168.255.255", "private use"},
     {"192.169.0.0", ""}},
    {"192.175.48.0/24",
     {"192.175.47.255", ""},
     {"192.175.48.0", "AS112 direct delegation"},
     {"192.175.48.255", "AS112 direct delegation"},
     {"192.175.49.0", ""}},
    {"198.18.0.0/15",
     {"198.17.255.255", ""},
     {"198.18.0.0", "benchmarking"},
     {"198.19.255.255", "benchmarking"},
     {"198.20.0.0", ""}},
    {"198.51.100.0/24",
     {"198.51.99.255", ""},
     {"198.51.100.0", "documentation"},
     {"198.51.100.255", "documentation"},
     {"198.51.101.0", ""}},
    {"203.0.113.0/24",
     {"203.0.112.255", ""},
     {"203.0.113.0", "documentation"},
     {"203.0.113.255", "documentation"},
     {"203.0.114.0", ""}},
    {"224.0.0.0/4",
     {"223.255.255.255", ""},
     {"224.0.0.0", "multicast"},
     {"239.255.255.255", "multicast"},
     {"240.0.0.0", "reserved"}},
    {"240.0.0.0/4",
     {"239.255.255.255", "multicast"},
     {"240.0.0.0", "reserved"},
     {"255.255.255.255", "limited broadcast"},
     {"", ""}},
    {"255.255.255.255/32",
     {"255.255.255.254", "reserved"},
     {"255.255.255.255", "limited broadcast"},
     {"255.255.255.255", "limited broadcast"},
     {"", ""}},
};

TEST(SpecialRangesTest, HaveTheseIpv4Edges) { ExpectEdges(kRows); }

TEST(SpecialRangesTest, AreTheseInIpv4) { ExpectAllRanges(kRows, true); }

TEST(SpecialRangesTest, AppearOnceEach) {
  std::set<std::string> seen;
  for (const SpecialRange& special : SpecialRanges()) {
    EXPECT_TRUE(seen.insert(special.range.ToString()).second) << special.range.ToString();
  }
}

TEST(SpecialRangesTest, SayWhatTheyAreAndWhoSaysSo) {
  for (const SpecialRange& special : SpecialRanges()) {
    EXPECT_FALSE(special.name.empty()) << special.range.ToString();
    EXPECT_FALSE(special.source.empty()) << special.range.ToString();
  }
  EXPECT_EQ(FindSpecialRange(*IpAddress::Parse("10.1.2.3"))->source, "RFC 1918");
  EXPECT_EQ(FindSpecialRange(*IpAddress::Parse("::1"))->source, "RFC 4291");
}

TEST(SpecialRangesTest, LeaveThePublicInternetAlone) {
  for (const char* address : {"1.1.1.1", "8.8.8.8", "93.184.216.34", "192.0.1.1", "223.255.255.254",
                              "2001:4860:4860::8888", "2606:4700:4700::1111", "2a00:1450::1"}) {
    EXPECT_EQ(SpecialName(address), "") << address;
  }
}

TEST(SpecialRangesTest, TakeAMappedAddressForItsIpv4Address) {
  EXPECT_EQ(SpecialName("::ffff:169.254.169.254"), "cloud metadata");
  EXPECT_EQ(SpecialName("::ffff:127.0.0.1"), "loopback");
  EXPECT_EQ(SpecialName("::ffff:8.8.8.8"), "");
}

}  // namespace
}  // namespace sockgate
