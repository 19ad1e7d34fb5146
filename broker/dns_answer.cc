#include "broker/dns_answer.h"

#include <algorithm>
#include <cstddef>

#include "broker/policy/host_name.h"
#include "proto/limits.h"

namespace sockgate {
namespace {

void Add(const IpAddress& address, DnsAnswer* answer) {
  size_t same_family = 0;
  for (const IpAddress& known : answer->addresses) {
    if (known == address) return;
    same_family += known.is_v4() == address.is_v4() ? 1 : 0;
  }
  if (same_family < kMaxAddressesPerFamily) answer->addresses.push_back(address);
}

}  // namespace

DnsAnswer MakeDnsAnswer(const ResolverAnswer& from) {
  DnsAnswer answer;
  answer.status = from.status;
  answer.ttl_seconds = from.ttl_seconds;
  if (from.status != ResolverStatus::kFound) return answer;
  for (size_t i = 0; i < std::min<size_t>(from.v4_count, from.v4.size()); ++i) {
    Add(from.v4[i], &answer);
  }
  for (size_t i = 0; i < std::min<size_t>(from.v6_count, from.v6.size()); ++i) {
    Add(from.v6[i], &answer);
  }
  if (answer.addresses.empty()) answer.status = ResolverStatus::kNoAddress;
  const auto canonical = HostName::Parse(from.canonical_name);
  if (canonical.ok()) answer.canonical_name = std::string(canonical->text());
  return answer;
}

}  // namespace sockgate
