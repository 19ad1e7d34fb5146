// AuditLog: one line of JSON for every decision, every completion, the same for lookups, every end of
// a tracked connection, every channel that begins or ends, every change of the policy, every
// revocation, and the broker's own confinement.
//
// Process: broker, the loop's thread; each loop has one, and they share the sink. Lines are formatted
// into a buffer and written in batches, off the path of the request: by Flush(), which the server
// calls when a batch is full or old.
// Never blocks: a pipe whose reader is slow, or a full disk, makes the buffer grow to its bound. Then,
// by the sink's overflow: kDeny: stops_decisions() asks the sessions to decide nothing more, so no
// decision goes unlogged, and no end of what was decided; lines that a worker could cause without
// end are only counted. kDrop: every worker's line is only counted. A line says how many they were.
// Hostile input: names and reasons that come from a worker; they are escaped.
//
// Fields: broker/AUDIT.md.

#ifndef SOCKGATE_BROKER_AUDIT_LOG_H_
#define SOCKGATE_BROKER_AUDIT_LOG_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "broker/audit_sink.h"
#include "broker/cage_report.h"
#include "broker/connection_end.h"
#include "broker/connector.h"
#include "broker/lookup.h"
#include "broker/ordered_by.h"
#include "broker/policy/policy.h"
#include "broker/policy/verdict.h"
#include "broker/revoke_order.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate {

class AuditLog {
 public:
  explicit AuditLog(std::shared_ptr<AuditSink> sink);
  // With a sink of its own.
  explicit AuditLog(UniqueFd fd) : AuditLog(std::make_shared<AuditSink>(std::move(fd))) {}

  // `names`: under which the address was judged.
  void Decision(const Attempt& attempt, const Verdict& verdict, Names names = {});
  void Completion(const Attempt& attempt, const Result& result, TimePoint now);
  // Of a tracked connection.
  void Connection(const Attempt& attempt, const ConnectionEnd& end);
  void LookupDecision(const Lookup& lookup);
  // With LookupDecision() first, if the lookup has a verdict that is not logged.
  void LookupCompletion(const Lookup& lookup, const LookupEnd& end, TimePoint now);
  // `event` is a word such as "opened"; `detail` may be empty.
  void Channel(const WorkerRecord& worker, uint64_t channel, absl::string_view event,
               absl::string_view detail);

  // The policy with this number is in force from now on, or another has been refused.
  void PolicyLoaded(uint64_t number, absl::string_view detail, const OrderedBy& by);
  void PolicyRejected(absl::string_view detail, const OrderedBy& by);

  // An operator has had so many connections ended.
  void Revoked(const RevokeOrder& order, size_t connections, const OrderedBy& by);

  // What the broker has given up, once, before the first worker is heard.
  void Cage(const CageReport& cage);

  // `change` is what has become of the resolver; `detail` may be empty.
  void Resolver(absl::string_view change, absl::string_view detail);

  // Writes as much as can be written without blocking.
  void Flush();

  // The number of the policy by which the lines that follow were judged.
  void SetPolicy(uint64_t number) { policy_ = number; }

  // Lines made so far, and those that were only counted.
  uint64_t lines() const { return lines_; }
  uint64_t lost() const { return lost_; }
  size_t waiting_bytes() const { return buffer_.size(); }

  // Lines wait to be written.
  bool pending() const { return !buffer_.empty(); }
  // Enough lines wait to be worth a write now.
  bool batch_full() const { return buffer_.size() >= kBatchBytes; }
  // The bound is reached.
  bool full() const { return buffer_.size() >= kMaxBytes; }
  // Decide nothing more until a Flush() has helped.
  bool stops_decisions() const { return full() && sink_->overflow() == AuditOverflow::kDeny; }

 private:
  static constexpr size_t kBatchBytes = size_t{32} * 1024;
  static constexpr size_t kMaxBytes = size_t{1024} * 1024;

  // True when full(): the line is not to be written, but counted.
  bool Skip();
  // The same for a line that goes unwritten only where the sink says that lines may.
  bool SkipDecided() { return sink_->overflow() == AuditOverflow::kDrop && Skip(); }
  void Lost();
  void Orderer(const OrderedBy& by);
  void PolicyChange(absl::string_view change, absl::string_view detail, const OrderedBy& by);
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

  const std::shared_ptr<AuditSink> sink_;
  std::string buffer_;
  std::string scratch_;
  uint64_t skipped_ = 0;  // since the last line that told
  uint64_t lines_ = 0;
  uint64_t lost_ = 0;
  uint64_t policy_ = 1;
  // The date and time down to the second, made anew only when the second changes.
  time_t second_ = -1;
  std::array<char, 32> second_text_ = {};
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_AUDIT_LOG_H_
