#include "broker/dns_cache.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sockgate {

DnsCache::Hit DnsCache::Find(const HostName& name, TimePoint now) {
  const auto found = by_name_.find(name.text());
  if (found == by_name_.end()) return {};
  const Entries::iterator entry = found->second;
  if (entry->until <= now) {
    Remove(entry);
    return {};
  }
  entries_.splice(entries_.begin(), entries_, entry);
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(entry->until - now);
  return {entry->answer, static_cast<uint32_t>(left.count())};
}

uint32_t DnsCache::Put(const HostName& name, std::shared_ptr<const DnsAnswer> answer,
                       TimePoint now) {
  const auto found = by_name_.find(name.text());
  if (found != by_name_.end()) Remove(found->second);
  const uint32_t seconds = Lifetime(*answer);
  if (seconds == 0 || most_ == 0) return seconds;
  if (entries_.size() >= most_) Remove(std::prev(entries_.end()));
  entries_.push_front(
      {std::string(name.text()), std::move(answer), now + std::chrono::seconds(seconds)});
  by_name_.emplace(entries_.front().name, entries_.begin());
  return seconds;
}

// Trouble on the way to an answer is not kept: it may be over at the next question.
uint32_t DnsCache::Lifetime(const DnsAnswer& answer) const {
  if (answer.ttl_seconds == 0) return 0;
  const uint32_t kept = std::clamp(answer.ttl_seconds, bounds_.least_s, bounds_.most_s);
  switch (answer.status) {
    case ResolverStatus::kFound:
      return kept;
    case ResolverStatus::kNoName:
    case ResolverStatus::kNoAddress:
      return std::min(kept, bounds_.most_negative_s);
    default:
      return 0;
  }
}

void DnsCache::Remove(Entries::iterator entry) {
  by_name_.erase(entry->name);
  entries_.erase(entry);
}

}  // namespace sockgate
