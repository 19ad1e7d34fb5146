// Special-purpose addresses: what a rule reaches only when it names it.
//
// Process: broker, and the tools that read policies. Constant data; pure.

#ifndef SOCKGATE_BROKER_POLICY_SPECIAL_RANGES_H_
#define SOCKGATE_BROKER_POLICY_SPECIAL_RANGES_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "broker/policy/cidr.h"
#include "proto/ip_address.h"

namespace sockgate {

struct SpecialRange {
  Cidr range;
  absl::string_view name;    // "loopback"
  absl::string_view source;  // "RFC 1122"
};

// All of them, in no particular order. Ranges nest; none appears twice.
absl::Span<const SpecialRange> SpecialRanges();

// The narrowest one that contains the address, or all of the range; or null. Looks through the
// whole list: for messages, not for decisions.
const SpecialRange* FindSpecialRange(const IpAddress& address);
const SpecialRange* FindSpecialRange(const Cidr& cidr);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_SPECIAL_RANGES_H_
