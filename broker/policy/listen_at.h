// ListenAt: a path where workers, or their launchers, get a channel of a role.
//
// Process: broker, and the tools that read policies.

#ifndef SOCKGATE_BROKER_POLICY_LISTEN_AT_H_
#define SOCKGATE_BROKER_POLICY_LISTEN_AT_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace sockgate {

struct ListenAt {
  std::string path;
  std::string role;
  std::optional<uid_t> owner = {};  // of the path; the broker's own when absent
  std::optional<gid_t> group = {};
  mode_t mode = 0600;
  uint32_t line = 0;  // in the policy file; 0: it is not from a file
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_LISTEN_AT_H_
