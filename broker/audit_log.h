// AuditLog: one line of JSON for every decision, every completion, the same for lookups, every
// channel that begins or ends, every change of the policy, and the broker's own confinement.
//
// Process: broker, the loop's thread. Lines are formatted into a buffer and written in batches, off
// the path of the request: by Flush(), which the server calls when a batch is full or old. A
// write ends where a line ends, and to anything but a file is of at most PIPE_BUF bytes; so nobody
// else's lines get into ours where the descriptor is a pipe, or a file opened with O_APPEND that
// its disk has room for.
// Never blocks: a pipe whose reader is slow, or a full disk, makes the buffer grow to its bound.
// From then on, with AuditOverflow::kDeny, denies() asks the sessions to decide nothing more; so no
// decision goes unlogged, and no end of what was decided. Lines that a worker could cause without
// end, and with kDrop all that workers cause, are then only counted, and a line says how many they
// were. A limit on the size of files shows as EFBIG, if SIGXFSZ is blocked or ignored.
// Hostile input: names and reasons that come from a worker; they are escaped.
//
// Fields: broker/AUDIT.md.

#ifndef SOCKGATE_BROKER_AUDIT_LOG_H_
#define SOCKGATE_BROKER_AUDIT_LOG_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>

#include "absl/strings/string_view.h"
#include "broker/cage_report.h"
#include "broker/connector.h"
#include "broker/lookup.h"
#include "broker/ordered_by.h"
#include "broker/policy/audit_overflow.h"
#include "broker/policy/policy.h"
#include "broker/policy/verdict.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate {

class AuditLog {
 public:
  // Takes `fd`; an invalid one means that nobody wants the log.
  explicit AuditLog(UniqueFd fd);

  // `names`: under which the address was judged.
  void Decision(const Attempt& attempt, const Verdict& verdict, Names names = {});
  void Completion(const Attempt& attempt, const Result& result, TimePoint now);
  void LookupDecision(const Lookup& lookup);
  // With LookupDecision() first, if the lookup has a verdict that is not logged.
  void LookupCompletion(const Lookup& lookup, const LookupEnd& end, TimePoint now);
  // `event` is a word such as "opened"; `detail` may be empty.
  void Channel(const WorkerRecord& worker, uint64_t channel, absl::string_view event,
               absl::string_view detail);

  // The policy with this number is in force from now on, or another has been refused.
  void PolicyLoaded(uint64_t number, absl::string_view detail, const OrderedBy& by);
  void PolicyRejected(absl::string_view detail, const OrderedBy& by);

  // What the broker has given up, once, before the first worker is heard.
  void Cage(const CageReport& cage);

  // `change` is what has become of the resolver; `detail` may be empty.
  void Resolver(absl::string_view change, absl::string_view detail);

  // Writes as much as can be written without blocking.
  void Flush();

  // Lines go to `fd` from now on, and the descriptor of before is returned. What waits is written
  // to the old one first; as far as that cannot be, it goes to the new one, in whole lines.
  UniqueFd Swap(UniqueFd fd);

  void SetOverflow(AuditOverflow overflow) { overflow_ = overflow; }

  // Lines wait to be written.
  bool pending() const { return !buffer_.empty(); }
  // Enough lines wait to be worth a write now.
  bool batch_full() const { return buffer_.size() >= kBatchBytes; }
  // The bound is reached, until a Flush() has helped.
  bool full() const { return buffer_.size() >= kMaxBytes; }
  // Decide nothing more for as long.
  bool denies() const { return overflow_ == AuditOverflow::kDeny && full(); }

 private:
  static constexpr size_t kBatchBytes = size_t{32} * 1024;
  static constexpr size_t kMaxBytes = size_t{1024} * 1024;

  // Whether to make a line, which no worker can cause without end while denies(). If not, it is
  // counted.
  bool Wants();
  // The same for one that a worker could.
  bool WantsEndless();
  void Lost();
  void PolicyChange(absl::string_view change, absl::string_view detail, const OrderedBy& by);
  // Of what waits from `begin` on, how much to write at once.
  size_t Chunk(size_t begin) const;
  void Begin(absl::string_view event, const WorkerRecord& worker, uint64_t channel);
  void Field(absl::string_view name, absl::string_view word);
  void Field(absl::string_view name, uint64_t number);
  void Request(const Attempt& attempt);
  void Request(const Lookup& lookup);
  void Said(const Verdict& verdict);
  void Came(const Result& result);
  void Dropped(const LookupEnd& end);
  // `decisive` is the one whose rule decided; null: none was.
  void NamesOf(Names names, const HostName* decisive);
  // Begins a line: the time, and what the line is about.
  void Time(absl::string_view event);
  void End();

  UniqueFd fd_;
  size_t largest_write_;
  AuditOverflow overflow_ = AuditOverflow::kDeny;
  std::string buffer_;
  size_t begun_ = 0;  // bytes of the first line that are written already
  std::string scratch_;
  uint64_t skipped_ = 0;
  uint64_t policy_ = 1;
  // The date and time down to the second, made anew only when the second changes.
  time_t second_ = -1;
  std::array<char, 32> second_text_ = {};
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_AUDIT_LOG_H_
