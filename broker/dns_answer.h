// DnsAnswer: what the resolver said of one name, brought into a form that nothing in it can harm.
//
// Process: broker. A value.
// Hostile input: the ResolverAnswer that it is made from.

#ifndef SOCKGATE_BROKER_DNS_ANSWER_H_
#define SOCKGATE_BROKER_DNS_ANSWER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "broker/resolver/resolver_messages.h"
#include "proto/ip_address.h"

namespace sockgate {

struct DnsAnswer {
  ResolverStatus status = ResolverStatus::kFailed;
  uint32_t ttl_seconds = 0;          // as the DNS has it
  std::vector<IpAddress> addresses;  // at most kMaxAddressesPerFamily of each; none twice
  std::string canonical_name;        // as HostName writes it, or empty
};

// An IPv4-mapped address has become an IPv4 one, wherever it stood: IpAddress has folded it.
// "Found" without an address becomes kNoAddress, and an answer that found nothing has none.
DnsAnswer MakeDnsAnswer(const ResolverAnswer& from);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_DNS_ANSWER_H_
