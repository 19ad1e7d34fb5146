// StartServing: the broker of `sockgate serve`, in its cage; and RunServing, which has it serve.
//
// Process: the broker, with one thread until RunServing. Says on standard error what is in force, and
// what is not.

#ifndef SOCKGATE_TOOL_SERVE_BROKER_H_
#define SOCKGATE_TOOL_SERVE_BROKER_H_

#include <initializer_list>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/broker.h"
#include "broker/cage.h"
#include "broker/control/audit_rotator.h"
#include "broker/control/operator_log.h"
#include "broker/control/reloader.h"
#include "broker/listening_socket.h"
#include "broker/policy/listen_at.h"
#include "tool/serve.h"
#include "tool/serve_inheritance.h"

namespace sockgate {

// From now on these wait until there is somebody to take them: one that came before the broker
// stands would end it at once, and leave its paths behind.
void HoldSignals(std::initializer_list<int> signals);

// Becomes the user that the options name. With --cage none and no user nothing changes.
absl::Status BecomeServer(const ServeOptions& options);

struct Serving {
  std::unique_ptr<Broker> broker;
  AuditRotator::Opener reopen_audit;         // empty: the audit log stays open for good
  std::unique_ptr<ListeningSocket> control;  // null: there is none
};

// `broker_options` without audit log and cage, which the options say. Takes from `inherited` what
// it serves by; a socket that is for nothing is an error. The error says which option would do
// without what cannot be had.
absl::StatusOr<Serving> StartServing(const ServeOptions& options, Inheritance* inherited,
                                     BrokerOptions broker_options,
                                     const std::vector<ListenAt>& listen, CagePlaces places);

// Serves until SIGTERM or SIGINT, and says so to the service manager. `reloader` is null for a
// broker without policy file.
absl::Status RunServing(const ServeOptions& options, const Inheritance& inherited, Serving* serving,
                        OperatorLog* log, Reloader* reloader);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_SERVE_BROKER_H_
