// EnterCage: the broker gives up what it has no use for once it serves.
//
// Process: broker, still with one thread, after all is open (audit log, paths, keeper, epoll) and
// before it hears the first worker. There is no way back. A cage is around a whole process, so a
// Broker in a thread of another program has none: use BrokerProcess, or a `sockgate serve`.
// Layers, in the order in which they are put on: no core file, no_new_privs, capabilities
// (socket_capabilities.h), not dumpable, Landlock, and a seccomp filter (broker_profile.h). The
// user is whoever runs the broker: `sockgate serve --user`.
// Hostile inputs: none yet; that is the point.
// Failure: closed. What the level requires and cannot be had is an error, and the process must not
// go on, for some layers may be in force.

#ifndef SOCKGATE_BROKER_CAGE_H_
#define SOCKGATE_BROKER_CAGE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/cage_bounds.h"
#include "broker/cage_report.h"
#include "broker/policy/listen_at.h"
#include "broker/resolver/resolver_options.h"
#include "broker/role_table.h"
#include "confine/cage_level.h"

namespace sockgate {

// What is used afterwards beside what the broker itself knows.
struct CagePlaces {
  std::string policy_file = {};  // that reloads read; empty: there will be none
  std::string control = {};      // the control socket's path; empty: there is none
  // Where the audit log's file is opened anew (rotated_file.h); empty: it is not.
  std::string audit_folder = {};
};

// What the broker serves by as it enters.
struct CageContents {
  const RoleTable& roles;
  std::vector<ListenAt> listen;
  std::optional<ResolverOptions> resolver;
};

struct Caged {
  CageReport report;
  CageBounds bounds;
};

// FailedPrecondition: a role needs a capability that is not permitted, or there are other threads.
// Unavailable: this kernel has no Landlock, and the level requires it.
absl::StatusOr<Caged> EnterCage(confine::CageLevel level, const CagePlaces& places,
                                const CageContents& contents);

// What is in force in this process; of Landlock the kernel does not say.
CageReport LookAtCage(confine::CageLevel level, int landlock_abi);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CAGE_H_
