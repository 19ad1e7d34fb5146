// AuditSink: where the audit lines of all event loops go, so that each stays whole.
//
// Process: broker. Owns the descriptor. Threads: any; Write() and Replace() take a lock, which a
// loop asks for once a batch.
// Blocking: never. What polls writable is written, to anything but a regular file in pieces of at
// most PIPE_BUF bytes (pipe(7)); a regular file takes what its disk has room for.
// Failure: what is not taken stays with the caller. A line of which a full disk took a part is kept
// here and comes before all others: its rest to the same file, or the whole of it to the next.

#ifndef SOCKGATE_BROKER_AUDIT_SINK_H_
#define SOCKGATE_BROKER_AUDIT_SINK_H_

#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>

#include "absl/strings/string_view.h"
#include "broker/policy/audit_overflow.h"
#include "proto/unique_fd.h"

namespace sockgate {

class AuditSink {
 public:
  // An invalid descriptor means that nobody wants the log; for good.
  explicit AuditSink(UniqueFd fd);
  AuditSink(const AuditSink&) = delete;
  AuditSink& operator=(const AuditSink&) = delete;

  bool wanted() const { return wanted_; }

  // How many bytes of these lines the caller need not keep.
  size_t Write(absl::string_view lines);

  // Lines go to `fd` from now on.
  void Replace(UniqueFd fd);

  // What becomes of lines that cannot be written and for which there is no room here any more.
  void set_overflow(AuditOverflow overflow) { overflow_ = overflow; }
  AuditOverflow overflow() const { return overflow_.load(std::memory_order_relaxed); }

 private:
  // As many bytes as can be written at once.
  size_t WriteSome(absl::string_view text);
  bool FinishCut();

  const bool wanted_;
  std::atomic<AuditOverflow> overflow_{AuditOverflow::kDeny};
  std::mutex mutex_;
  UniqueFd fd_;  // guarded by mutex_, as all below
  size_t largest_write_;
  std::string cut_;  // a line of which a part is written
  size_t cut_at_ = 0;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_AUDIT_SINK_H_
