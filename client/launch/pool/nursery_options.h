// NurseryOptions: what all workers of a pool have in common.
//
// Process: the launcher. Plain values; what cannot be done is a Status of Nursery::Start(), or the
// news that a worker could not be started.

#ifndef SOCKGATE_CLIENT_LAUNCH_POOL_NURSERY_OPTIONS_H_
#define SOCKGATE_CLIENT_LAUNCH_POOL_NURSERY_OPTIONS_H_

#include <cstddef>
#include <string>

#include "client/launch/worker_options.h"
#include "client/pool/pool_worker.h"

namespace sockgate::launch {

struct NurseryOptions {
  WorkerOptions worker;
  size_t jobs = 1;
  std::string ca_file;  // empty: the system's, if it has one
  bool load_trust = true;
  PoolWorker::BeginHook on_begin;  // runs in the worker
  PoolWorker::Connecting connecting = {};
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_POOL_NURSERY_OPTIONS_H_
