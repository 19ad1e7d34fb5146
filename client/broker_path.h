// ConnectToBroker: a new channel, by the path that a broker listens on.
//
// Process: worker, where no filter forbids socket(2) and connect(2), or launcher.
// Threads and blocking: any; waits only where as many connections wait there already as the broker
// lets wait, until `give_up`, which may lie in the past. Survives EINTR.
// Failure: InvalidArgument: it cannot be a socket's path. FailedPrecondition: this process may make
// no sockets, now or later. All else may pass: nobody listens (NotFound where there is no such
// path, Unavailable where a broker left it behind or lets no more wait), no descriptor is left (ResourceExhausted).

#ifndef SOCKGATE_CLIENT_BROKER_PATH_H_
#define SOCKGATE_CLIENT_BROKER_PATH_H_

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "proto/unique_fd.h"

namespace sockgate {

// Prepared by PrepareWorkerEnd(); nothing has been said on it.
absl::StatusOr<UniqueFd> ConnectToBroker(const std::string& path,
                                         std::chrono::steady_clock::time_point give_up);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_BROKER_PATH_H_
