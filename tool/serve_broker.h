// StartServing: the broker of `sockgate serve`, in its cage.
//
// Process: the broker, with one thread. Says on standard error what is in force, and what is not.

#ifndef SOCKGATE_TOOL_SERVE_BROKER_H_
#define SOCKGATE_TOOL_SERVE_BROKER_H_

#include <initializer_list>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/broker.h"
#include "broker/cage.h"
#include "broker/policy/listen_at.h"
#include "proto/unique_fd.h"
#include "tool/serve.h"

namespace sockgate {

// From now on these wait until there is somebody to take them: one that came before the broker
// stands would end it at once, and leave its paths behind.
void HoldSignals(std::initializer_list<int> signals);

// Standard error as it was given to the process. What is behind it may be another user's, so it is
// opened before the process becomes one.
struct ServeStreams {
  UniqueFd audit;  // invalid: the audit log goes elsewhere
  UniqueFd log;
};
ServeStreams OpenServeStreams(const ServeOptions& options);

// Becomes the user that the options name. With --cage none and no user nothing changes.
absl::Status BecomeServer(const ServeOptions& options);

// `broker_options` without audit log and cage, which the options say. The error says which option
// would do without what cannot be had.
absl::StatusOr<std::unique_ptr<Broker>> StartServing(const ServeOptions& options,
                                                     ServeStreams* streams,
                                                     BrokerOptions broker_options,
                                                     const std::vector<ListenAt>& listen,
                                                     const CagePlaces& places);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_SERVE_BROKER_H_
