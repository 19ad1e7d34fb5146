// StepDown: who `sockgate serve` is while it opens what it will need.
//
// Process: the broker, with one thread, before it has opened the policy file, the audit log or a
// path: all that is opened with the rights that the broker will have, so that what it may not
// reach shows now and not at a reload.
// Capabilities: those that may be needed until the cage is entered stay permitted, and none is
// effective; AsOwnerOfPaths makes some so while the paths are bound.
// Failure: an error, after which the process must not go on.

#ifndef SOCKGATE_TOOL_SERVE_IDENTITY_H_
#define SOCKGATE_TOOL_SERVE_IDENTITY_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "broker/policy/listen_at.h"

namespace sockgate {

// Becomes the user with its groups; an empty name: stays who it is.
absl::Status StepDown(const std::string& user);

// Calls `bind` with the rights to give a path to another owner, and to take it back from one, if
// `listen` asks for that and the process is permitted to.
absl::Status AsOwnerOfPaths(const std::vector<ListenAt>& listen,
                            const std::function<absl::Status()>& bind);

// For a broker that enters no cage: what sockets may need becomes effective, and nothing else stays
// permitted.
absl::Status KeepNetworkCapabilities();

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_SERVE_IDENTITY_H_
