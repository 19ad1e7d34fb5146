// Seat: where one worker of a pool after the other sits: the launcher's end of its stream, and what
// has been ordered of it.
//
// Process: the launcher.
// Ownership: owns the stream. The nursery owns the worker.
// Threads: one at a time. Nothing blocks.
// Hostile inputs: the worker's bytes, of which one frame and kReadBytes are held at a time; whoever
// takes a frame has it judged by TransferBook.
// Failure: a worker that does not read its orders, or has closed its stream, is seen at the next
// Receive().
//
//   kEmpty --Open--> kStarting --Serve--> kServing --Close--> kEnding --Leave--> kEmpty
//                        `-------------------Leave---------------------------------^

#ifndef SOCKGATE_CLIENT_LAUNCH_POOL_SEAT_H_
#define SOCKGATE_CLIENT_LAUNCH_POOL_SEAT_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client/launch/worker.h"
#include "client/pool/frame.h"
#include "client/pool/transfer.h"
#include "proto/unique_fd.h"

namespace sockgate::launch {

class Seat {
 public:
  enum class State { kEmpty, kStarting, kServing, kEnding };
  enum class Received { kSome, kNothing, kClosed };

  // What was wrong with a worker that did not just end.
  struct Fault {
    Fate fate = Fate::kCrashed;
    std::string text;
  };

  // For a worker with this number. Returns the worker's end of its stream.
  absl::StatusOr<UniqueFd> Open(uint32_t worker);
  void Serve() { state_ = State::kServing; }

  void Order(TransferId id, const Transfer& transfer, bool alone);
  void Cancel(TransferId id);
  // It has answered.
  void Done(TransferId id);
  // Sends what the worker takes now.
  void Flush();

  // Reads once; then Next() until kMore.
  Received Receive();
  FrameReader::Outcome Next(Frame* frame) { return reader_.Next(frame); }
  const char* reader_fault() const { return reader_.fault(); }

  // Whether the worker will not answer any more. `late`: an answer of its is late now. A caller who
  // was slow, or stopped, may have kept the worker from it, so it has `grace` from when this is first
  // seen. Then there are bytes that were not read, or it hangs; and no more of them than a worker with
  // so many `jobs` can have said by then, or it could say something for ever.
  bool Hangs(bool late, std::chrono::milliseconds grace, size_t jobs);

  // No more is sent or heard.
  void Close();
  // Why it must be killed.
  void Blame(Fault fault) { fault_ = std::move(fault); }
  // The worker has been reaped.
  void Ended(ExitStatus status) { ended_ = status; }
  void Leave();

  State state() const { return state_; }
  uint32_t worker() const { return worker_; }
  int stream() const { return stream_.get(); }
  bool unsent() const { return writer_.unsent() > 0; }
  const std::vector<TransferId>& load() const { return load_; }
  bool alone() const { return alone_; }
  uint64_t ordered() const { return ordered_; }
  // Nothing: no answer is late, as far as Hangs() has heard.
  std::optional<std::chrono::steady_clock::time_point> late_since() const { return late_since_; }
  const std::optional<Fault>& fault() const { return fault_; }
  const std::optional<ExitStatus>& ended() const { return ended_; }

  // Whether its owner waits until Flush() can go on.
  bool watched = false;
  // When a worker that has not ended by itself is killed, after Close(); max(): it has been.
  std::chrono::steady_clock::time_point kill_at = std::chrono::steady_clock::time_point::max();
  // It gets no more orders, and is closed when it has answered all.
  bool retiring = false;

 private:
  bool HasBytes() const;

  State state_ = State::kEmpty;
  uint32_t worker_ = 0;
  UniqueFd stream_;
  FrameReader reader_{Side::kWorker};
  FrameWriter writer_;
  std::vector<TransferId> load_;
  bool alone_ = false;
  uint64_t ordered_ = 0;
  std::optional<std::chrono::steady_clock::time_point> late_since_;
  uint64_t received_bytes_ = 0;  // since then
  std::optional<Fault> fault_;
  std::optional<ExitStatus> ended_;
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_POOL_SEAT_H_
