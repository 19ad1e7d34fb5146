// ServiceTable: port numbers by service name, as services(5) has them.
//
// Process: worker. A confined worker cannot read /etc/services, so the whole of it is taken into
// memory before; where it cannot be read, a few well-known services stand in.
// Threads: immutable once made. Input: a trusted file; lines that are not as they should be are
// left out, and of a file beyond 1 MiB the rest.

#ifndef SOCKGATE_CLIENT_SERVICE_TABLE_H_
#define SOCKGATE_CLIENT_SERVICE_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sockgate {

class ServiceTable {
 public:
  // /etc/services, or the well-known services where that has none or cannot be read.
  static ServiceTable OfSystem();

  // The text of a file like it.
  static ServiceTable Parse(absl::string_view text);

  // `name` or an alias, with its case; `protocol` is "tcp", "udp" and so on.
  std::optional<uint16_t> Port(absl::string_view name, absl::string_view protocol) const;

 private:
  struct Entry {
    std::string name;
    std::string protocol;
    uint16_t port;
  };

  void AddLine(absl::string_view line);

  std::vector<Entry> entries_;  // sorted by name and protocol; of equal ones the first holds
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_SERVICE_TABLE_H_
