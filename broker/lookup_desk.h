// LookupDesk: takes requests to resolve, judges the name, has it looked up, judges the addresses.
//
// Process: broker, the loop's thread. Owns the NameService; the rest is lent and must outlive it.
// Never blocks. A name that the policy denies is not even looked for in the cache.
// Hostile input: the requests, whose names are any bytes, and the answers.

#ifndef SOCKGATE_BROKER_LOOKUP_DESK_H_
#define SOCKGATE_BROKER_LOOKUP_DESK_H_

#include <chrono>
#include <cstdint>
#include <deque>

#include "broker/audit_log.h"
#include "broker/event_loop.h"
#include "broker/look_budget.h"
#include "broker/lookup.h"
#include "broker/name_service.h"
#include "broker/name_source.h"
#include "broker/resolver/resolver_options.h"
#include "broker/role_table.h"
#include "proto/limits.h"

namespace sockgate {

// Who resolves names for the workers.
struct NameServing {
  NameSource* source = nullptr;  // lent; null: nobody
  // Longer than an honest source takes for any question.
  std::chrono::milliseconds patience{kMaxLookupMs};
  TtlBounds ttl = {};
};

class LookupObserver {
 public:
  // The lookup's answer is to be sent, if anybody is there to take it, and then logged. The reply
  // is good for the call only.
  virtual void OnLookupEnd(const Lookup& lookup, const LookupEnd& end) = 0;

 protected:
  ~LookupObserver() = default;
};

// Counts and logs what came of a request to resolve: the last verdict on it, and how it ended.
void RecordLookup(const Lookup& lookup, const LookupEnd& end, AuditLog* audit);

class LookupDesk final : public AnswerObserver {
 public:
  LookupDesk(EventLoop* loop, const NameServing& serving, AuditLog* audit, LookupObserver* observer,
             LookBudget* looks)
      : names_(loop, serving.source, this, serving.patience, serving.ttl),
        audit_(audit),
        observer_(observer),
        looks_(looks) {}

  // Each lookup ends once: within this call, later, or with its channel. `limit` is one that stands
  // in its way, or kNone.
  void Begin(Lookup lookup, Reason limit);

  // Every lookup of the channel ends now.
  void CancelChannel(uint64_t channel);

  // The workers have other roles now, so whatever waits is judged by them and asked anew. With
  // `renewed`, what the source said before is forgotten.
  void Adopt(const RoleTable& roles, const TtlBounds* renewed);

  size_t questions() const { return names_.questions(); }
  // Lookups that somebody waits for.
  size_t waiting() const { return names_.waiting(); }
  CacheCounts cache() const { return names_.cache(); }

  void OnNameAnswer(const Lookup& lookup, const DnsCache::Hit& answer) override;
  void OnLookupCancelled(const Lookup& lookup) override;

 private:
  void Judge(Lookup lookup);
  void LookUp(Lookup* lookup);
  // What needs no question to anybody; without an answer: nothing.
  DnsCache::Hit FindKnown(const Lookup& lookup);
  void Refuse(const Lookup& lookup, const Result& result);

  NameService names_;
  std::deque<Lookup> judged_anew_;  // by Adopt(), which is not done with them
  AuditLog* const audit_;
  LookupObserver* const observer_;
  LookBudget* const looks_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_LOOKUP_DESK_H_
