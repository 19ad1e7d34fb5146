#include "broker/lookup_desk.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "broker/lookup_reply.h"
#include "broker/policy/localhost.h"
#include "broker/refusal.h"

namespace sockgate {
namespace {

constexpr uint32_t kLoopbackTtlSeconds = 60;

std::shared_ptr<const DnsAnswer> MakeLoopbackAnswer() {
  DnsAnswer answer;
  answer.status = ResolverStatus::kFound;
  answer.ttl_seconds = kLoopbackTtlSeconds;
  answer.addresses = LocalhostAddresses();
  return std::make_shared<const DnsAnswer>(answer);
}

// 0: the worker may have a name looked up. Otherwise `limit` is what it would be over.
uint32_t TimeToWait(WorkerRecord* worker, TimePoint now, Reason* limit) {
  const Limits& limits = worker->role->limits;
  if (worker->lookups >= limits.max_lookups) return kRetryAfterMs;
  const uint32_t wait_ms =
      worker->lookup_rate.Take(limits.lookups_per_second, limits.lookup_burst, now);
  if (wait_ms != 0) return wait_ms;
  *limit = Reason::kRoleLimit;
  const RoleTotals& totals = worker->role->totals;
  if (RoleUsage::IsFull(worker->usage->lookups, totals.max_lookups)) return kRetryAfterMs;
  const uint32_t role_wait_ms = worker->usage->TakeLookup(totals, now);
  if (role_wait_ms == 0) *limit = Reason::kLookups;
  return role_wait_ms;
}

}  // namespace

void RecordLookup(const Lookup& lookup, const LookupEnd& end, AuditLog* audit) {
  RoleMetrics* metrics = lookup.worker->metrics;
  const Result& result = end.reply.result;
  if (lookup.verdict.has_value()) metrics->Judged(*lookup.verdict, &metrics->lookups);
  const bool passed = lookup.verdict.has_value() && lookup.verdict->lets_through();
  if (passed && result.outcome == Outcome::kDenied) {
    // The name may be looked up, but none of its addresses reached.
    metrics->Judged({Decision::kDeny, result.rule, 0, result.reason}, &metrics->lookups);
  }
  metrics->Ended(result, &metrics->lookups);
  audit->LookupCompletion(lookup, end, EventLoop::Now());
}

void LookupDesk::Begin(Lookup lookup, Reason limit) {
  ++lookup.worker->metrics->lookups.asked;
  if (limit != Reason::kNone) {
    Refuse(lookup, Limited(limit, kRetryAfterMs));
    return;
  }
  auto name = HostName::Parse(lookup.asked);
  if (!name.ok()) {
    Refuse(lookup, BadRequest(Reason::kBadName));
    return;
  }
  lookup.name = *std::move(name);
  Judge(std::move(lookup));
}

void LookupDesk::Judge(Lookup lookup) {
  const Confined confined = lookup.worker->ShowsConfinement(lookup.begun, looks_);
  if (confined == Confined::kNotNow) {
    Refuse(lookup, NotNow(kRetryAfterMs));
    return;
  }
  lookup.verdict = confined == Confined::kYes ? lookup.worker->role->policy.DecideName(*lookup.name)
                                              : NotConfined();
  if (lookup.verdict->lets_through()) {
    LookUp(&lookup);
  } else {
    Refuse(lookup, Denied(*lookup.verdict));
  }
}

void LookupDesk::CancelChannel(uint64_t channel) {
  names_.CancelChannel(channel);
  const auto gone =
      std::stable_partition(judged_anew_.begin(), judged_anew_.end(),
                            [channel](const Lookup& lookup) { return lookup.channel != channel; });
  for (auto lookup = gone; lookup != judged_anew_.end(); ++lookup) OnLookupCancelled(*lookup);
  judged_anew_.erase(gone, judged_anew_.end());
}

// An answer may end channels, and their lookups with them.
void LookupDesk::Adopt(const RoleTable& roles, const TtlBounds* renewed) {
  const std::vector<Lookup> waiting = names_.TakeAll();
  judged_anew_.assign(waiting.begin(), waiting.end());
  names_.Adopt(roles);
  if (renewed != nullptr) names_.Renew(*renewed);
  while (!judged_anew_.empty()) {
    Lookup lookup = std::move(judged_anew_.front());
    judged_anew_.pop_front();
    lookup.logged = false;
    lookup.verdict.reset();
    Judge(std::move(lookup));
  }
}

void LookupDesk::LookUp(Lookup* lookup) {
  const DnsCache::Hit known = FindKnown(*lookup);
  if (known.answer != nullptr) {
    observer_->OnLookupEnd(*lookup,
                           ReplyTo(*lookup, known, LookupEnd::Source::kCache, lookup->begun));
    return;
  }
  Reason limit = Reason::kLookups;
  const uint32_t wait_ms = TimeToWait(lookup->worker, lookup->begun, &limit);
  // The copy that waits has its line already.
  lookup->logged = true;
  if (wait_ms == 0 && names_.Ask(*lookup)) {
    audit_->LookupDecision(*lookup);
    return;
  }
  lookup->logged = false;
  Result result = Limited(limit, std::max(wait_ms, kRetryAfterMs));
  result.rule = lookup->verdict->rule;
  Refuse(*lookup, result);
}

DnsCache::Hit LookupDesk::FindKnown(const Lookup& lookup) {
  if (!lookup.name->is_localhost()) {
    return names_.Find(lookup.worker->role->name, *lookup.name, lookup.begun);
  }
  // Nobody need be asked, and nobody is: RFC 6761, section 6.3.
  static const auto* const loopback = new std::shared_ptr<const DnsAnswer>(MakeLoopbackAnswer());
  return {*loopback, kLoopbackTtlSeconds};
}

void LookupDesk::OnNameAnswer(const Lookup& lookup, const DnsCache::Hit& answer) {
  const LookupEnd end = ReplyTo(lookup, answer, LookupEnd::Source::kResolver, EventLoop::Now());
  observer_->OnLookupEnd(lookup, end);
}

void LookupDesk::OnLookupCancelled(const Lookup& lookup) {
  Refuse(lookup, Failed(ECANCELED, kRetryAfterMs));
}

void LookupDesk::Refuse(const Lookup& lookup, const Result& result) {
  LookupEnd end;
  end.reply.result = result;
  observer_->OnLookupEnd(lookup, end);
}

}  // namespace sockgate
