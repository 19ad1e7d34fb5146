#include "broker/lookup_desk.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "broker/lookup_reply.h"
#include "broker/refusal.h"

namespace sockgate {

void LookupDesk::Begin(Lookup lookup, Reason limit) {
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
    Judge(std::move(lookup));
  }
}

void LookupDesk::LookUp(Lookup* lookup) {
  WorkerRecord* const worker = lookup->worker;
  const DnsCache::Hit hit = names_.Find(worker->role->name, *lookup->name, lookup->begun);
  if (hit.answer != nullptr) {
    observer_->OnLookupEnd(*lookup,
                           ReplyTo(*lookup, hit, LookupEnd::Source::kCache, lookup->begun));
    return;
  }
  // The copy that waits has its line already.
  lookup->logged = true;
  if (worker->lookups < worker->role->limits.max_lookups && names_.Ask(*lookup)) {
    audit_->LookupDecision(*lookup);
    return;
  }
  lookup->logged = false;
  Result result = Limited(Reason::kLookups, kRetryAfterMs);
  result.rule = lookup->verdict->rule;
  Refuse(*lookup, result);
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
