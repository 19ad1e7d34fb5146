#include "broker/role_metrics.h"

#include <algorithm>

namespace sockgate {

void RequestCounts::Judged(const Verdict& verdict) {
  if (!verdict.lets_through()) {
    ++denied;
    return;
  }
  ++allowed;
  if (verdict.decision == Decision::kWouldDeny) ++would_deny;
}

void RequestCounts::Ended(Outcome outcome) {
  switch (outcome) {
    case Outcome::kConnected:
    case Outcome::kStarted:
    case Outcome::kOpened:
    case Outcome::kResolved:
      ++done;
      break;
    case Outcome::kDenied:
      break;  // counted by its verdict
    case Outcome::kFailed:
      ++failed;
      break;
    case Outcome::kLimited:
      ++limited;
      break;
    case Outcome::kBadRequest:
      ++bad_request;
      break;
  }
}

void RequestCounts::Add(const RequestCounts& other) {
  asked += other.asked;
  allowed += other.allowed;
  denied += other.denied;
  would_deny += other.would_deny;
  done += other.done;
  failed += other.failed;
  limited += other.limited;
  bad_request += other.bad_request;
}

void ConnectTimes::Count(std::chrono::microseconds taken) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), taken.count());
  ++counts[static_cast<size_t>(bound - kBounds.begin())];
  sum_us += static_cast<uint64_t>(taken.count());
}

void ConnectTimes::Add(const ConnectTimes& other) {
  for (size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  sum_us += other.sum_us;
}

void RoleMetrics::Judged(const Verdict& verdict, RequestCounts* requests) {
  requests->Judged(verdict);
  if (verdict.lets_through()) return;
  Denials& of_rule = denials[{verdict.rule, verdict.reason}];
  of_rule.line = verdict.line;
  ++of_rule.count;
}

void RoleMetrics::Ended(const Result& result, RequestCounts* requests) {
  requests->Ended(result.outcome);
  if (result.outcome == Outcome::kLimited) ++limits[static_cast<size_t>(result.reason)];
}

void RoleMetrics::Carried(uint64_t sent, uint64_t received) {
  bytes_sent += sent;
  bytes_received += received;
}

void RoleMetrics::Add(const RoleMetrics& other) {
  connects.Add(other.connects);
  lookups.Add(other.lookups);
  connect_times.Add(other.connect_times);
  for (size_t i = 0; i < limits.size(); ++i) limits[i] += other.limits[i];
  violations += other.violations;
  Carried(other.bytes_sent, other.bytes_received);
  for (const auto& [rule, some] : other.denials) {
    Denials& all = denials[rule];
    all.line = some.line;
    all.count += some.count;
  }
}

}  // namespace sockgate
