#include "broker/name_service.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"

namespace sockgate {
namespace {

void Charge(WorkerRecord* worker) {
  ++worker->lookups;
  RoleUsage::Increment(&worker->usage->lookups);
}

void Discharge(WorkerRecord* worker) {
  --worker->lookups;
  RoleUsage::Decrement(&worker->usage->lookups);
}

}  // namespace

NameService::NameService(EventLoop* loop, NameSource* source, AnswerObserver* observer,
                         std::chrono::milliseconds patience, const TtlBounds& ttl)
    : loop_(loop), source_(source), observer_(observer), patience_(patience), ttl_(ttl) {
  source_->SetListener(this);
}

NameService::~NameService() {
  source_->SetListener(nullptr);
  for (auto& [id, question] : questions_) loop_->Cancel(&question.deadline);
}

CacheCounts NameService::cache() const {
  CacheCounts counts = {0, hits_, misses_};
  for (const auto& [name, role] : roles_) counts.entries += role->cache.size();
  return counts;
}

DnsCache::Hit NameService::Find(absl::string_view role, const HostName& name, TimePoint now) {
  const auto found = roles_.find(role);
  const DnsCache::Hit hit =
      found == roles_.end() ? DnsCache::Hit() : found->second->cache.Find(name, now);
  ++(hit.answer == nullptr ? misses_ : hits_);
  return hit;
}

bool NameService::Ask(const Lookup& lookup) {
  Key key(lookup.worker->role->name, lookup.name->text());
  const auto known = by_key_.find(key);
  if (known != by_key_.end()) {
    Wait(known->second, lookup);
    return true;
  }
  OfRole& role = Of(key.first);
  if (role.questions >= kMostQuestions - questions_.size()) return false;
  const TimePoint now = EventLoop::Now();
  if (role.rate.Count(now) > kMaxSocketsPerSecond / 2) return false;
  ++role.questions;
  const uint32_t id = NewId();
  const EventLoop::Id deadline = loop_->SetDeadline(now + patience_, this, id);
  by_key_.emplace(key, id);
  questions_.emplace(id, Question{std::move(key), *lookup.name, deadline, {}, nullptr});
  Wait(id, lookup);
  source_->Ask(id, *lookup.name);
  return true;
}

void NameService::Wait(uint32_t id, const Lookup& lookup) {
  Charge(lookup.worker);
  waiting_.emplace(std::make_pair(lookup.channel, lookup.request_id), id);
  std::vector<Lookup>& waiters = questions_.find(id)->second.waiters;
  waiters.push_back(lookup);
  waiters.back().asked = {};
}

NameService::OfRole& NameService::Of(const std::string& role) {
  std::unique_ptr<OfRole>& place = roles_[role];
  if (place == nullptr) place = std::make_unique<OfRole>(ttl_);
  return *place;
}

// A question that has waited for ever might still have the number.
uint32_t NameService::NewId() {
  do {
    ++last_id_;
  } while (last_id_ == 0 || questions_.contains(last_id_));
  return last_id_;
}

void NameService::CancelChannel(uint64_t channel) {
  const auto first = waiting_.lower_bound({channel, 0});
  const auto last = waiting_.lower_bound({channel + 1, 0});
  for (auto entry = first; entry != last; ++entry) {
    Question& question = questions_.find(entry->second)->second;
    const auto waiter =
        std::find_if(question.waiters.begin(), question.waiters.end(), [&](const Lookup& one) {
          return one.channel == channel && one.request_id == entry->first.second;
        });
    if (question.waiters.size() == 1 && question.payer == nullptr) {
      question.payer = waiter->worker->shared_from_this();
    } else {
      Discharge(waiter->worker);
    }
    observer_->OnLookupCancelled(*waiter);
    question.waiters.erase(waiter);
  }
  waiting_.erase(first, last);
}

std::vector<Lookup> NameService::TakeAll() {
  std::vector<Lookup> all;
  while (!questions_.empty()) {
    const uint32_t id = questions_.begin()->first;
    const Question question = Take(id);
    source_->Forget(id);
    all.insert(all.end(), question.waiters.begin(), question.waiters.end());
  }
  return all;
}

void NameService::Adopt(const RoleTable& roles) {
  for (auto role = roles_.begin(); role != roles_.end();) {
    const auto next = std::next(role);
    if (roles.Find(role->first) == nullptr) roles_.erase(role);
    role = next;
  }
}

void NameService::Renew(const TtlBounds& ttl) {
  roles_.clear();
  ttl_ = ttl;
}

void NameService::OnAnswer(const ResolverAnswer& answer) { End(answer.id, MakeDnsAnswer(answer)); }

void NameService::OnDeadline(uint64_t cookie) {
  const auto id = static_cast<uint32_t>(cookie);
  source_->GiveUp(id);
  DnsAnswer silence;
  silence.status = ResolverStatus::kTryAgain;
  End(id, silence);
}

NameService::Question NameService::Take(uint32_t id) {
  const auto found = questions_.find(id);
  Question question = std::move(found->second);
  questions_.erase(found);
  by_key_.erase(question.key);
  --Of(question.key.first).questions;
  loop_->Cancel(&question.deadline);
  for (const Lookup& waiter : question.waiters) {
    waiting_.erase({waiter.channel, waiter.request_id});
    Discharge(waiter.worker);
  }
  if (question.payer != nullptr) Discharge(question.payer.get());
  return question;
}

// The observer may end channels, whose other lookups are then cancelled: by that time the question
// is in none of the tables any more.
void NameService::End(uint32_t id, const DnsAnswer& answer) {
  if (!questions_.contains(id)) return;
  const Question question = Take(id);
  DnsCache::Hit hit = {std::make_shared<const DnsAnswer>(answer), 0};
  hit.ttl_seconds = Of(question.key.first).cache.Put(question.name, hit.answer, EventLoop::Now());
  for (const Lookup& waiter : question.waiters) observer_->OnNameAnswer(waiter, hit);
}

}  // namespace sockgate
