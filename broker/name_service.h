// NameService: answers about names, from each role's cache or from the source, which hears each
// question once however many wait for the answer.
//
// Process: broker, the loop's thread. Owns the caches; the loop, the source and the observer are
// lent and must outlive it. Never blocks: a question without an answer ends after the patience,
// with "try again". It judges nothing: whoever asks has asked the policy, and judges the answer.
// Hostile input: the answers; and the workers, which is why there is a bound to the questions in
// flight. How many of them one worker may have is the caller's to bound.

#ifndef SOCKGATE_BROKER_NAME_SERVICE_H_
#define SOCKGATE_BROKER_NAME_SERVICE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "broker/dns_cache.h"
#include "broker/event_loop.h"
#include "broker/lookup.h"
#include "broker/name_source.h"
#include "broker/resolver/order_rate.h"
#include "broker/role_table.h"

namespace sockgate {

class AnswerObserver {
 public:
  // A lookup that was asked for has its answer.
  virtual void OnNameAnswer(const Lookup& lookup, const DnsCache::Hit& answer) = 0;
  // The lookup's channel has gone first.
  virtual void OnLookupCancelled(const Lookup& lookup) = 0;

 protected:
  ~AnswerObserver() = default;
};

class NameService final : public NameListener, public EventHandler {
 public:
  // In flight, all in all.
  static constexpr size_t kMostQuestions = 1024;

  // `patience` is longer than an honest source ever takes.
  NameService(EventLoop* loop, NameSource* source, AnswerObserver* observer,
              std::chrono::milliseconds patience, const TtlBounds& ttl);
  ~NameService();
  NameService(const NameService&) = delete;
  NameService& operator=(const NameService&) = delete;

  // What the workers of this role have found out before.
  DnsCache::Hit Find(absl::string_view role, const HostName& name, TimePoint now);

  // Has the name looked up; the observer hears of the answer, later. False: too many questions are
  // in flight. A role may have as many as are left for all others: half of them when it alone asks,
  // and less the more of them ask; and half of what a resolver may ask in a second.
  bool Ask(const Lookup& lookup);

  // Nobody is left to wait for the channel's lookups. What was asked goes on, for the cache.
  void CancelChannel(uint64_t channel);

  // All lookups that wait, which the caller may ask again; without them nothing is in flight.
  std::vector<Lookup> TakeAll();

  // Forgets what the workers of all other roles have found out. Nothing is in flight.
  void Adopt(const RoleTable& roles);

  // Forgets everything, because the source may answer otherwise from now on.
  void Renew(const TtlBounds& ttl);

  size_t questions() const { return questions_.size(); }
  size_t waiting() const { return waiting_.size(); }
  CacheCounts cache() const;

  void OnAnswer(const ResolverAnswer& answer) override;
  void OnEvent(uint64_t /*cookie*/, uint32_t /*epoll_events*/) override {}
  void OnDeadline(uint64_t cookie) override;

 private:
  using Key = std::pair<std::string, std::string>;  // role and name

  struct OfRole {
    explicit OfRole(const TtlBounds& ttl) : cache(DnsCache::kMostAnswers, ttl) {}

    DnsCache cache;
    size_t questions = 0;
    OrderRate rate;
  };
  struct Question {
    Key key;
    HostName name;
    EventLoop::Id deadline;
    std::vector<Lookup> waiters;
    // The last one whose channel went while it waited. It pays until the question is over, or it
    // could fill all places by closing channels.
    std::shared_ptr<WorkerRecord> payer;
  };

  uint32_t NewId();
  OfRole& Of(const std::string& role);
  void Wait(uint32_t id, const Lookup& lookup);
  // Takes it out of all tables, and its waiters' charges with it.
  Question Take(uint32_t id);
  void End(uint32_t id, const DnsAnswer& answer);

  EventLoop* const loop_;
  NameSource* const source_;
  AnswerObserver* const observer_;
  const std::chrono::milliseconds patience_;
  TtlBounds ttl_;
  uint32_t last_id_ = 0;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
  absl::flat_hash_map<std::string, std::unique_ptr<OfRole>> roles_;
  absl::flat_hash_map<uint32_t, Question> questions_;
  absl::flat_hash_map<Key, uint32_t> by_key_;
  // For each channel and request that waits, the question.
  std::map<std::pair<uint64_t, uint32_t>, uint32_t> waiting_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_NAME_SERVICE_H_
