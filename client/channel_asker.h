// ChannelAsker: the worker's end of a launch::ChannelSource, by which a worker that may not connect
// asks its launcher for another channel.
//
// Process: worker, confined. Owns the socket.
// Threads: one at a time. Blocks until the launcher answers, or shortly (kDeadlineTickMs) after the
// deadline. An answer that comes later is the next call's: it is never asked twice for one.
// Hostile input: none should come from a launcher; what is not as handover.h says is an error.
// Failure: FailedPrecondition: there is nobody to ask any more, now or later. All else may pass:
// Unavailable: no broker, or asked too often; DeadlineExceeded: no answer yet; ResourceExhausted:
// this process had no descriptor left for the channel.

#ifndef SOCKGATE_CLIENT_CHANNEL_ASKER_H_
#define SOCKGATE_CLIENT_CHANNEL_ASKER_H_

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/unique_fd.h"

namespace sockgate {

class ChannelAsker {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  ChannelAsker() = default;
  // `socket` has been prepared by PrepareWorkerEnd().
  explicit ChannelAsker(UniqueFd socket) : socket_(std::move(socket)) {}

  int descriptor() const { return socket_.get(); }

  // The worker's end of a new channel.
  absl::StatusOr<UniqueFd> Ask(TimePoint give_up);

 private:
  absl::Status Send(TimePoint give_up);

  UniqueFd socket_;
  bool asked_ = false;  // and not answered yet
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_CHANNEL_ASKER_H_
