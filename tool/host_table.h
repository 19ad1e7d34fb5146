// HostTable: the addresses of the names that a command deals with, each looked up once.
//
// Process: the launcher, before confinement.
// Blocking: as long as getaddrinfo(3) does.
// Once, because a name that is answered differently each time would otherwise be allowed at one
// address and asked for at another.

#ifndef SOCKGATE_TOOL_HOST_TABLE_H_
#define SOCKGATE_TOOL_HOST_TABLE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/ip_address.h"

namespace sockgate {

class HostTable {
 public:
  // In the system's order of preference (RFC 6724), without duplicates; never empty when ok.
  // NotFound names the host.
  absl::StatusOr<std::vector<IpAddress>> LookUp(const std::string& host);

  // One entry, as CURLOPT_RESOLVE wants it, for every host that was looked up at each of these
  // ports.
  std::vector<std::string> ResolveEntries(const std::set<uint16_t>& ports) const;

 private:
  std::map<std::string, std::vector<IpAddress>> addresses_;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_HOST_TABLE_H_
