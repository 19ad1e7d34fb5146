// What the broker and its resolver say to each other, as plain structs. resolver_codec.h alone
// turns them into bytes and back; RESOLVER.md is the specification.
//
// Process: broker and resolver. No message owns memory but names up to kMaxNameBytes. What the
// resolver sends is hostile to the broker: it is the process that parses DNS answers.

#ifndef SOCKGATE_BROKER_RESOLVER_RESOLVER_MESSAGES_H_
#define SOCKGATE_BROKER_RESOLVER_RESOLVER_MESSAGES_H_

#include <array>
#include <cstdint>
#include <string>

#include "proto/ip_address.h"
#include "proto/limits.h"

namespace sockgate {

// Broker to resolver.
struct ResolverQuestion {
  uint32_t id = 0;   // not 0
  std::string name;  // canonical (HostName), 1 to kMaxNameBytes bytes
};

enum class ResolverStatus : uint8_t {
  kFound = 1,      // with at least one address
  kNoName = 2,     // the name does not exist (NXDOMAIN)
  kNoAddress = 3,  // it does, without an address
  kTryAgain = 4,   // no server answered in time, or none could
  kBusy = 5,       // more questions than the resolver takes at a time
  kFailed = 6,     // what came back was no DNS, or a server refused
};

// Resolver to broker: one for each question, in any order.
struct ResolverAnswer {
  uint32_t id = 0;
  ResolverStatus status = ResolverStatus::kFailed;
  // How long the answer holds: the smallest TTL on the way to the addresses, or of a negative
  // answer what RFC 2308 says; as the DNS has it, so the broker brings it within its bounds.
  uint32_t ttl_seconds = 0;
  uint8_t v4_count = 0;
  uint8_t v6_count = 0;
  std::array<IpAddress, kMaxAddressesPerFamily> v4 = {};
  std::array<IpAddress, kMaxAddressesPerFamily> v6 = {};
  std::string canonical_name;  // the end of the chain of aliases; empty: the name itself
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_RESOLVER_MESSAGES_H_
