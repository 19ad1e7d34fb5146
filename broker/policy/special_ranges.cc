#include "broker/policy/special_ranges.h"

#include <vector>

#include "proto/check.h"

namespace sockgate {
namespace {

struct Row {
  absl::string_view range;
  absl::string_view name;
  absl::string_view source;
};

// The IANA IPv4 and IPv6 Special-Purpose Address Registries as of 2025, whole: those that the
// Internet routes (AMT, AS112, anycast services) are ends of protocols, not places to fetch from.
// One entry is missing: ::ffff:0:0/96. IpAddress folds it to IPv4 and Cidr::Parse refuses it.
constexpr Row kRows[] = {
    {"0.0.0.0/8", "this network", "RFC 791"},
    {"0.0.0.0/32", "this host", "RFC 1122"},
    {"10.0.0.0/8", "private use", "RFC 1918"},
    {"100.64.0.0/10", "shared address space", "RFC 6598"},
    {"127.0.0.0/8", "loopback", "RFC 1122"},
    {"169.254.0.0/16", "link-local", "RFC 3927"},
    {"172.16.0.0/12", "private use", "RFC 1918"},
    {"192.0.0.0/24", "IETF protocol assignments", "RFC 6890"},
    {"192.0.0.0/29", "IPv4 service continuity", "RFC 7335"},
    {"192.0.0.8/32", "IPv4 dummy address", "RFC 7600"},
    {"192.0.0.9/32", "PCP anycast", "RFC 7723"},
    {"192.0.0.10/32", "TURN anycast", "RFC 8155"},
    {"192.0.0.170/32", "NAT64 discovery", "RFC 8880"},
    {"192.0.0.171/32", "NAT64 discovery", "RFC 8880"},
    {"192.0.2.0/24", "documentation", "RFC 5737"},
    {"192.31.196.0/24", "AS112", "RFC 7535"},
    {"192.52.193.0/24", "AMT", "RFC 7450"},
    {"192.88.99.0/24", "6to4 relay anycast", "RFC 7526"},
    {"192.88.99.2/32", "6a44 relay anycast", "RFC 6751"},
    {"192.168.0.0/16", "private use", "RFC 1918"},
    {"192.175.48.0/24", "AS112 direct delegation", "RFC 7534"},
    {"198.18.0.0/15", "benchmarking", "RFC 2544"},
    {"198.51.100.0/24", "documentation", "RFC 5737"},
    {"203.0.113.0/24", "documentation", "RFC 5737"},
    {"240.0.0.0/4", "reserved", "RFC 1112"},
    {"255.255.255.255/32", "limited broadcast", "RFC 919"},

    {"::/128", "unspecified", "RFC 4291"},
    {"::1/128", "loopback", "RFC 4291"},
    {"64:ff9b::/96", "NAT64", "RFC 6052"},
    {"64:ff9b:1::/48", "local-use NAT64", "RFC 8215"},
    {"100::/64", "discard-only", "RFC 6666"},
    {"100:0:0:1::/64", "IPv6 dummy prefix", "RFC 9780"},
    {"2001::/23", "IETF protocol assignments", "RFC 2928"},
    {"2001::/32", "Teredo", "RFC 4380"},
    {"2001:1::1/128", "PCP anycast", "RFC 7723"},
    {"2001:1::2/128", "TURN anycast", "RFC 8155"},
    {"2001:1::3/128", "DNS-SD SRP anycast", "RFC 9665"},
    {"2001:2::/48", "benchmarking", "RFC 5180"},
    {"2001:3::/32", "AMT", "RFC 7450"},
    {"2001:4:112::/48", "AS112", "RFC 7535"},
    {"2001:10::/28", "ORCHID", "RFC 4843"},
    {"2001:20::/28", "ORCHIDv2", "RFC 7343"},
    {"2001:30::/28", "drone remote ID", "RFC 9374"},
    {"2001:db8::/32", "documentation", "RFC 3849"},
    {"2002::/16", "6to4", "RFC 3056"},
    {"2620:4f:8000::/48", "AS112 direct delegation", "RFC 7534"},
    {"3fff::/20", "documentation", "RFC 9637"},
    {"5f00::/16", "SRv6 SIDs", "RFC 9602"},
    {"fc00::/7", "unique local", "RFC 4193"},
    {"fe80::/10", "link-local", "RFC 4291"},

    // Outside those registries, by their RFCs.
    {"224.0.0.0/4", "multicast", "RFC 5771"},
    {"::/96", "IPv4-compatible", "RFC 4291"},
    {"::ffff:0:0:0/96", "IPv4-translated", "RFC 2765"},
    {"fec0::/10", "site-local", "RFC 3879"},
    {"ff00::/8", "multicast", "RFC 4291"},

    // All that is not 2000::/3: whoever answers there was not given the address by IANA.
    {"::/3", "not global unicast", "IANA IPv6 address space"},
    {"4000::/2", "not global unicast", "IANA IPv6 address space"},
    {"8000::/1", "not global unicast", "IANA IPv6 address space"},

    // Where clouds hand out credentials and configuration to whoever asks from inside. Rows of
    // their own, so that a rule for the range around one does not name it.
    {"100.100.100.200/32", "Alibaba Cloud metadata", "Alibaba Cloud ECS documentation"},
    {"168.63.129.16/32", "Azure platform", "Microsoft Azure documentation"},
    {"169.254.0.23/32", "Tencent Cloud metadata", "Tencent Cloud CVM documentation"},
    {"169.254.42.42/32", "Scaleway metadata", "Scaleway documentation"},
    {"169.254.169.123/32", "EC2 time service", "Amazon EC2 documentation"},
    {"169.254.169.253/32", "EC2 name server", "Amazon VPC documentation"},
    {"169.254.169.254/32", "cloud metadata", "EC2, Google, Azure, Oracle and other clouds"},
    {"169.254.170.2/32", "ECS task credentials", "Amazon ECS documentation"},
    {"169.254.170.23/32", "EKS pod credentials", "Amazon EKS documentation"},
    {"192.0.0.192/32", "Oracle Cloud Classic metadata", "Oracle Cloud documentation"},
    {"fd00:42::42/128", "Scaleway metadata", "Scaleway documentation"},
    {"fd00:100::100:200/128", "Alibaba Cloud metadata", "Alibaba Cloud ECS documentation"},
    {"fd00:a9fe:a9fe::1/128", "Akamai Cloud metadata", "Akamai documentation"},
    {"fd00:c1::a9fe:a9fe/128", "Oracle Cloud metadata", "Oracle Cloud documentation"},
    {"fd00:ec2::23/128", "EKS pod credentials", "Amazon EKS documentation"},
    {"fd00:ec2::123/128", "EC2 time service", "Amazon EC2 documentation"},
    {"fd00:ec2::253/128", "EC2 name server", "Amazon VPC documentation"},
    {"fd00:ec2::254/128", "EC2 metadata", "Amazon EC2 documentation"},
    {"fd20:ce::254/128", "Google Cloud metadata", "Google Compute Engine documentation"},
    {"fe80::a9fe:a9fe/128", "OpenStack metadata", "OpenStack Nova documentation"},
};

std::vector<SpecialRange> ParseRows() {
  std::vector<SpecialRange> ranges;
  for (const Row& row : kRows) {
    const auto range = Cidr::Parse(row.range);
    SOCKGATE_CHECK(range.has_value());
    ranges.push_back({*range, row.name, row.source});
  }
  return ranges;
}

}  // namespace

absl::Span<const SpecialRange> SpecialRanges() {
  // Never destroyed: a thread may still decide while the process exits.
  static const auto& ranges = *new std::vector<SpecialRange>(ParseRows());
  return ranges;
}

const SpecialRange* FindSpecialRange(const Cidr& cidr) {
  const SpecialRange* narrowest = nullptr;
  for (const SpecialRange& special : SpecialRanges()) {
    if (!special.range.Contains(cidr)) continue;
    if (narrowest == nullptr || narrowest->range.Contains(special.range)) narrowest = &special;
  }
  return narrowest;
}

const SpecialRange* FindSpecialRange(const IpAddress& address) {
  return FindSpecialRange(Cidr::Around(address, address.bits()));
}

}  // namespace sockgate
