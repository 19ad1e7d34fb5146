// sockgate revoke: has a running broker cut connections that it tracks.
//
// Process: the operator's command, root's or the broker's own user's.

#ifndef SOCKGATE_TOOL_REVOKE_H_
#define SOCKGATE_TOOL_REVOKE_H_

#include <cstdint>
#include <optional>
#include <string>

namespace sockgate {

struct RevokeOptions {
  std::string control;
  // Those that all of them fit.
  std::optional<std::string> role;
  std::optional<uint64_t> worker;
  std::optional<std::string> to;  // a CIDR
  // Instead of them: so that nobody ends everything by leaving a word out.
  bool all = false;
};

// Says how many there were. Returns the exit status: 0, 1 when there is no broker, kExitUsage when
// the options do not say which.
int Revoke(const RevokeOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_REVOKE_H_
