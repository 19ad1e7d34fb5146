// The addresses of the host that the broker runs on.
//
// Process: broker, when it loads a policy, and the tools. Blocking: as long as getifaddrs(3) takes.

#ifndef SOCKGATE_BROKER_POLICY_OWN_ADDRESSES_H_
#define SOCKGATE_BROKER_POLICY_OWN_ADDRESSES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "broker/policy/cidr.h"

namespace sockgate {

// Of each interface. Of IPv4 loopback the whole network: the kernel takes all of it for itself.
absl::StatusOr<std::vector<Cidr>> OwnAddresses();

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_OWN_ADDRESSES_H_
