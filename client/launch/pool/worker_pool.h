// WorkerPool: fetches URLs in confined workers, and gives their bodies to the caller.
//
//   WorkerPool::Options options;
//   options.channel = [&] { return broker->AddWorker("fetch"); };
//   options.workers = 3;
//   WorkerPool::Callbacks callbacks;
//   callbacks.on_body = [&](TransferId id, absl::string_view piece) { ... };
//   callbacks.on_done = [&](const TransferResult& result) { ... };
//   auto pool = WorkerPool::Start(std::move(options), std::move(callbacks));
//   Transfer transfer;
//   transfer.url = "https://example.com/";
//   const auto id = (*pool)->Add(std::move(transfer));
//   (*pool)->Run();   // until all are done
//
// Process: the launcher, unconfined.
// Ownership: owns its workers, and a child that starts them (nursery.h). The destructor ends and
// reaps these, whatever they are doing, and nobody else.
// Threads: Start() must be called while the process has one thread. Everything else from any
// thread, one at a time, and callbacks come in that thread, out of Poll() or Run(). They may call
// Add() and Cancel(), but not Poll() or Run(), nor destroy the pool. They must not throw.
//
// A worker that ends under its transfers. Of several any may be the culprit, so each is repeated
// alone in a worker of its own: those that go well then are done, and the one under which the worker
// ends again is reported (Fate::kCrashed, kHung, kMisbehaved). So a transfer is begun at most twice.
// One that is not idempotent is not begun again, but reported as kInterrupted.
//
// Bodies come over the worker's UNIX stream, which copies them once more than shared memory would
// need to; but what a callback reads can then not be changed by the worker meanwhile, and a caller
// that does not read stops the worker, and that its servers, with nothing to agree upon.
// Memory: a worker has at most kMaxUnsentBytes of bodies, the socket what the kernel gives it
// (net.core.wmem_default, some 208 KiB), the launcher kReadBytes and one message for each worker:
// under 1 MiB in all for each worker, however large the bodies and however slow the callbacks.
// Beside that, libcurl's own for each transfer under way (transfer_loop.h), and the transfers that
// wait.
//
// Hostile inputs: all that a worker sends. Its messages are bounded and decoded as a whole; ids must
// be of its own transfers; bodies beyond max_filesize, and what comes in no order that a worker has,
// end it. A worker that is taken over can lie about its own transfers.

#ifndef SOCKGATE_CLIENT_LAUNCH_POOL_WORKER_POOL_H_
#define SOCKGATE_CLIENT_LAUNCH_POOL_WORKER_POOL_H_

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/launch/worker_options.h"
#include "client/pool/transfer.h"
#include "proto/unique_fd.h"

namespace sockgate::launch {

class WorkerPool {
 public:
  struct Options {
    // The worker's end of a new channel to the broker, for each worker that is started.
    std::function<absl::StatusOr<UniqueFd>()> channel;
    size_t workers = 2;
    size_t jobs = 10;                            // transfers under way at once in each
    uint64_t transfers_before_recycling = 1000;  // then a worker is replaced; 0: never

    // Of any transfer, where it has none or a longer one. A worker that lets it pass by `grace`
    // without an answer hangs, and is ended.
    std::chrono::milliseconds max_time = std::chrono::minutes(10);
    std::chrono::milliseconds grace = std::chrono::seconds(10);

    WorkerOptions worker;  // confinement, user, limits, namespaces
    std::string ca_file;   // empty: the system's

    // In the worker, confined, for each transfer that begins: for options of libcurl's that
    // Transfer has no field for.
    std::function<void(CURL*, TransferId)> on_begin;
  };

  struct Callbacks {
    // Before the body, where there is one.
    std::function<void(TransferId, const ResponseHead&)> on_head;
    std::function<void(TransferId, absl::string_view)> on_body;
    // It is begun again: what came of its body is void.
    std::function<void(TransferId)> on_restart;
    std::function<void(const TransferResult&)> on_done;
  };

  // Starts the nursery, and no worker yet. InvalidArgument: no channel, or no worker or job.
  static absl::StatusOr<std::unique_ptr<WorkerPool>> Start(Options options, Callbacks callbacks);

  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // InvalidArgument: see Transfer::Check().
  absl::StatusOr<TransferId> Add(Transfer transfer);

  // on_done hears of it in the next Poll(), with kCancelled. False: there is no such transfer.
  bool Cancel(TransferId id);

  // Does what there is to do, after waiting for it at most so long. An error: the nursery has gone;
  // all transfers are done then.
  absl::Status Poll(std::chrono::milliseconds wait);

  // Until all transfers are done.
  absl::Status Run();

  // Readable (poll, epoll) when Poll() has something to do; stays the pool's.
  int descriptor() const;

  bool idle() const { return unfinished() == 0; }
  size_t unfinished() const;
  size_t waiting() const;  // of these; to add more when there are few
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_POOL_WORKER_POOL_H_
