// Inheritance: what whoever started `sockgate serve` has handed to the process.
//
// Process: the broker, first of all: before it opens anything, and before it becomes another user, who
// might not be let in where these lead.

#ifndef SOCKGATE_TOOL_SERVE_INHERITANCE_H_
#define SOCKGATE_TOOL_SERVE_INHERITANCE_H_

#include "absl/status/statusor.h"
#include "broker/inherited_sockets.h"
#include "broker/service_notify.h"
#include "proto/unique_fd.h"
#include "tool/serve.h"

namespace sockgate {

struct Inheritance {
  ServiceNotify notify;
  InheritedSockets sockets;
  // Standard error.
  UniqueFd audit;  // invalid: the audit log goes elsewhere
  UniqueFd log;
};

// What is wrong with the service manager's socket is only warned of, on standard error.
absl::StatusOr<Inheritance> TakeInheritance(const ServeOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_SERVE_INHERITANCE_H_
