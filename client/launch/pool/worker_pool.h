// WorkerPool: fetches URLs in confined workers, and gives what they get to callbacks.
//
//   launch::WorkerPool::Options options;
//   options.channel = [&] { return broker->AddWorker("fetch"); };
//   launch::WorkerPool::Callbacks callbacks;
//   callbacks.on_body = [&](TransferId id, absl::string_view piece) { ... };
//   callbacks.on_done = [&](const TransferResult& result) { ... };
//   auto pool = launch::WorkerPool::Start(std::move(options), std::move(callbacks));
//   Transfer transfer;
//   transfer.url = "https://example.com/";
//   (*pool)->Add(std::move(transfer));
//   (*pool)->Run();                            // until all are done
//
// Process: the launcher, unconfined.
// Ownership: owns its workers, and the child that starts them (nursery.h). The destructor ends and
// reaps these, whatever they are doing, and nobody else; no callback is called.
// Threads: call Start() while the process has one thread. The rest from any thread, one at a time.
// Callbacks come in the thread that calls Poll() or Run(), out of these. They may call Add() and
// Cancel(), but not Poll() or Run(), nor destroy the pool; they must not throw.
// Blocking: Poll() and Run(), for as long as they say, and for as long as callbacks do. Add() and
// Cancel() do not.
//
// A worker that ends under its transfers. Any of them may be the culprit, so each is begun once
// more, alone in a worker: most go well then, and the one under which a worker ends again is
// reported (Fate::kCrashed, kHung, kMisbehaved). No transfer is begun a third time. One that is not
// idempotent is not begun a second time, but reported as kInterrupted. Another worker takes the
// place; where five in a row cannot be started, transfers that wait end with kNoWorker.
//
// Bodies come over a UNIX stream and not in shared memory. It costs one more copy; but what a
// callback reads cannot be changed by the worker meanwhile, and a caller that does not read stops
// the worker, and with it the servers, without any more agreement.
// Memory, however large bodies are and however slow callbacks: for each worker the launcher has at
// most kReadBytes and one frame (268 KiB), the kernel what net.core.wmem_default says (208 KiB), and
// the worker kMaxUnsentBytes (256 KiB), beside what TransferLoop says of each transfer under way,
// and a head and a result for each (at worst 128 KiB and 204). A transfer that waits has its
// Transfer, and one that is begun that twice until its worker has read it; keep waiting() low where
// there are millions.
//
// Hostile inputs: all that a worker sends. Frames are bounded (frame.h), decoded as a whole
// (transfer_codec.h) and must be in order (transfer_book.h); one that is not ends the worker. So does
// an answer that is late by twice `grace`. A worker that is taken over can lie about its own transfers,
// and about no others.

#ifndef SOCKGATE_CLIENT_LAUNCH_POOL_WORKER_POOL_H_
#define SOCKGATE_CLIENT_LAUNCH_POOL_WORKER_POOL_H_

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/launch/pool/roster.h"
#include "client/launch/pool/seat.h"
#include "client/launch/pool/transfer_book.h"
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
    size_t jobs = 10;               // transfers under way at once in each
    uint64_t recycle_after = 1000;  // transfers; then another worker takes the place. 0: never

    // Of any transfer that says no shorter one. A worker whose answer is later than that by `grace`
    // has it once more from when Poll() sees this, for a Poll() may itself be late; then it hangs,
    // and is ended.
    std::chrono::milliseconds max_time = std::chrono::minutes(10);
    std::chrono::milliseconds grace = std::chrono::seconds(10);

    WorkerOptions worker;    // user, namespaces, limits, descriptors for Transfer::output
    std::string ca_file;     // empty: the system's
    bool load_trust = true;  // false: no transfer will be encrypted, which saves the time
    PoolWorker::Connecting connecting = {};

    // In the worker, confined, when a transfer begins: for options of libcurl's that Transfer has no
    // field for (transfer_sink.h, OnBegin). It has the launcher's memory as it was at Start().
    std::function<void(CURL*, TransferId)> on_begin;
  };

  struct Callbacks {
    // A worker has been started; the layers that hold it (InForce::ToString).
    std::function<void(absl::string_view)> on_worker;
    // Before the body, where there is one.
    std::function<void(TransferId, const ResponseHead&)> on_head;
    std::function<void(TransferId, absl::string_view)> on_body;
    // It is begun again: what came of it so far is void.
    std::function<void(TransferId)> on_restart;
    std::function<void(const TransferResult&)> on_done;
  };

  // Starts the nursery; workers start when there is something to do. InvalidArgument: no channel, no
  // worker, no job or no time. FailedPrecondition: `ca_file` cannot be used, the kernel has no pidfds,
  // or the process has other threads.
  static absl::StatusOr<std::unique_ptr<WorkerPool>> Start(Options options, Callbacks callbacks);

  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // It is begun by a Poll(). InvalidArgument: see Transfer::Check().
  absl::StatusOr<TransferId> Add(Transfer transfer);

  // Nothing but on_done, with Fate::kCancelled, is heard of it after this, once its worker has given
  // it up. False: it is done already.
  bool Cancel(TransferId id);

  // Waits for something to do, at most so long, and does it. An error, the same from then on: the
  // nursery has gone, or the kernel fails us. Then all transfers are done, with kNoWorker.
  absl::Status Poll(std::chrono::milliseconds wait);

  // Poll() until idle().
  absl::Status Run();

  // Readable (poll, epoll) when Poll() has something to do. The pool's.
  int descriptor() const { return roster_->descriptor(); }

  bool idle() const { return unfinished() == 0; }
  size_t unfinished() const { return book_.size() + results_.size(); }
  size_t waiting() const { return book_.waiting(); }  // of these, not begun

 private:
  WorkerPool(Options options, Callbacks callbacks, std::unique_ptr<Roster> roster);

  // Giving work.
  void Fill();
  void RetireIdle();
  void StartWorkers();
  absl::Status StartWorker(Seat* seat);
  void NoteFailedStart(absl::string_view why);
  void Order(Seat* seat, TransferId id);

  // Hearing of it.
  void Handle(const Roster::Event& event);
  void Receive(Seat* seat);
  void TakeFrames(Seat* seat);
  const char* TakeFrame(Seat* seat, const Frame& frame);
  const char* TakeResult(Seat* seat, const Frame& frame);
  void CheckDeadlines();
  void CheckSeat(Seat* seat);
  static bool IsDue(const Seat& seat);
  bool HasLate(const Seat& seat) const;

  // When a worker has ended.
  void Close(Seat* seat);
  void Condemn(Seat* seat, Seat::Fault fault);
  void Bury(Seat* seat);
  void BuryTransfer(const Seat& seat, TransferId id);
  void EndWithoutWorker(const std::vector<TransferId>& ids, absl::string_view why);
  void Fail();

  // Telling.
  void Finish(TransferId id, TransferResult result);
  void Tell();
  void Ring();
  void SetTimer();
  TimePoint NextDue() const;

  const Options options_;
  const Callbacks callbacks_;
  const std::unique_ptr<Roster> roster_;
  TransferBook book_;
  TransferId last_id_ = 0;
  std::vector<TransferResult> results_;  // to be told
  std::vector<TransferId> restarts_;     // to be told before
  int failed_starts_ = 0;                // in a row
  TimePoint next_start_;
  bool rung_ = false;  // the roster is due at once
  bool failed_ = false;
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_POOL_WORKER_POOL_H_
