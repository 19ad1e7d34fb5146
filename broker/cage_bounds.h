// CageBounds: what a policy may ask of a broker in its cage, which cannot be widened any more.
//
// Process: broker. Immutable. Check reads links and a file of /proc; any thread but the loop's.
// Trusted but checked: the policy of a reload. One that needs more than is left is refused as a
// whole, before anything of it is done, and the error says what to do; nothing is served
// without the option, or from the path, that could not be had.
// What it cannot foresee (who owns what by then, a folder that was removed and made anew) the
// kernel refuses.

#ifndef SOCKGATE_BROKER_CAGE_BOUNDS_H_
#define SOCKGATE_BROKER_CAGE_BOUNDS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "broker/policy/listen_at.h"
#include "broker/resolver/resolver_options.h"
#include "broker/role_table.h"
#include "broker/socket_capabilities.h"
#include "confine/capabilities.h"

namespace sockgate {

struct CageBounds {
  confine::CapabilitySet capabilities = 0;  // that the broker holds
  KernelGrants kernel;
  // By Landlock; without it these three bound nothing.
  bool has_landlock = false;
  bool binds_sources = false;                 // TCP sockets may be given a source address
  std::vector<std::string> listen_folders;    // without links
  std::vector<std::string> resolver_folders;  // what the keeper may read

  // FailedPrecondition, with what is missing.
  absl::Status Check(const RoleTable& roles, const std::vector<ListenAt>& listen,
                     const std::optional<ResolverOptions>& resolver) const;

  // The error of what was tried and refused, with what it may be due to.
  static absl::Status Explain(const absl::Status& error);
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CAGE_BOUNDS_H_
