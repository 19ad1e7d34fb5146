// OperatorLog: what a running broker says to whoever started it, on standard error.
//
// Process: broker, the threads that take orders. Owns the descriptor.
// Threads: any.
// Blocking: never, or a reader that has stopped could keep the broker from its orders, the last of
// them included. A line goes out in one write(2) of at most PIPE_BUF bytes, if there is room for it
// at once: so it is whole, and the audit log's lines, which may go to the same pipe, are around it
// and not in it. Otherwise it is lost and counted, and the next one that finds room says how many
// were.
// A descriptor that is not O_NONBLOCK may still block when another writer fills the pipe in the
// moment between poll(2) and write(2); give one that is.

#ifndef SOCKGATE_BROKER_CONTROL_OPERATOR_LOG_H_
#define SOCKGATE_BROKER_CONTROL_OPERATOR_LOG_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "proto/unique_fd.h"

namespace sockgate {

class OperatorLog {
 public:
  // An invalid descriptor means that nobody listens.
  explicit OperatorLog(UniqueFd fd) : fd_(std::move(fd)) {}

  // Without its end. One that is too long is cut and ends in "...", and bytes that could end or
  // rewrite it on a terminal are replaced.
  void Line(absl::string_view text);

 private:
  bool Write(absl::string_view text);

  const UniqueFd fd_;
  std::mutex mutex_;
  uint64_t lost_ = 0;  // guarded by mutex_
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONTROL_OPERATOR_LOG_H_
