// PrepareTransferProcess: what a process that will run a TransferLoop does before it is confined.
//
// Process: the worker, in launch::Worker's `prepare`.
// Ownership: the client is the caller's, and must outlive the process's lookups: the name shim is
// armed with it.
// Threads: the only one. Blocks for one round trip to the broker.
// Hostile inputs: none.
// Failure: a Status that says which step.

#ifndef SOCKGATE_CLIENT_POOL_TRANSFER_PROCESS_H_
#define SOCKGATE_CLIENT_POOL_TRANSFER_PROCESS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "client/broker_client.h"
#include "proto/unique_fd.h"

namespace sockgate {

// Meets the broker over this channel, arms the name shim, initialises libcurl and its TLS, reads
// time zone and locale, and ignores SIGPIPE.
absl::StatusOr<std::unique_ptr<BrokerClient>> PrepareTransferProcess(UniqueFd channel);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_POOL_TRANSFER_PROCESS_H_
