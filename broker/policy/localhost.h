// localhost and the names below it, which lead to loopback addresses whatever the DNS says.
//
// Process: broker and resolver, and the tools that read policies. Pure.
// Source: RFC 6761, section 6.3.

#ifndef SOCKGATE_BROKER_POLICY_LOCALHOST_H_
#define SOCKGATE_BROKER_POLICY_LOCALHOST_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "proto/ip_address.h"

namespace sockgate {

// `name` as HostName::text() has it.
bool IsLocalhost(absl::string_view name);

const std::vector<IpAddress>& LocalhostAddresses();

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_LOCALHOST_H_
