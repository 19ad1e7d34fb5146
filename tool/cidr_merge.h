// MergeAddresses: a set of addresses as the fewest ranges that hold these and no others.
//
// Process: the command, unconfined. Pure.

#ifndef SOCKGATE_TOOL_CIDR_MERGE_H_
#define SOCKGATE_TOOL_CIDR_MERGE_H_

#include <vector>

#include "broker/policy/cidr.h"
#include "proto/ip_address.h"

namespace sockgate {

// IPv4 before IPv6, each as numbers.
struct AddressOrder {
  bool operator()(const IpAddress& a, const IpAddress& b) const;
};

// In any order, and one may be there twice. The ranges are sorted by AddressOrder and do not
// overlap.
std::vector<Cidr> MergeAddresses(std::vector<IpAddress> addresses);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_CIDR_MERGE_H_
