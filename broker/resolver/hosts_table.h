// HostsTable: the names that have their addresses without asking the DNS: those of the hosts file,
// and localhost.
//
// Process: resolver; filled before it confines itself, read afterwards. The file is trusted, but
// may be long: blocking lists are kept in it.

#ifndef SOCKGATE_BROKER_RESOLVER_HOSTS_TABLE_H_
#define SOCKGATE_BROKER_RESOLVER_HOSTS_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/ip_address.h"

namespace sockgate {

inline constexpr size_t kMaxHostsBytes = 16 * 1024 * 1024;
inline constexpr size_t kMaxHostsNames = 500'000;

class HostsTable {
 public:
  // hosts(5): an address, then names, and # begins a comment. A line that is not so is passed over,
  // as the C library does. More than kMaxHostsNames names are ResourceExhausted: a list that is cut
  // in silence no longer blocks what it names.
  static absl::StatusOr<HostsTable> Parse(absl::string_view text);

  // Of a file; a missing one is an empty one.
  static absl::StatusOr<HostsTable> Load(const std::string& path);

  // Null when the DNS is to be asked. `name` is canonical. localhost and what is below it are the
  // loopback addresses whatever the file says (RFC 6761, section 6.3).
  const std::vector<IpAddress>* Find(absl::string_view name) const;

  size_t size() const { return names_.size(); }

 private:
  absl::Status AddLine(absl::string_view line);

  absl::flat_hash_map<std::string, std::vector<IpAddress>> names_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_HOSTS_TABLE_H_
