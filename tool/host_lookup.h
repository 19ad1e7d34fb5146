// HostLookup: the addresses of a name, from the system's resolver.
//
// Process: the launcher, before confinement. Blocks as long as getaddrinfo(3) does.

#ifndef SOCKGATE_TOOL_HOST_LOOKUP_H_
#define SOCKGATE_TOOL_HOST_LOOKUP_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/ip_address.h"

namespace sockgate {

// In the system's order of preference (RFC 6724), without duplicates; never empty when ok. The
// error names the host.
absl::StatusOr<std::vector<IpAddress>> LookUpHost(const std::string& host);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_HOST_LOOKUP_H_
