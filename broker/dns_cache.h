// DnsCache: the answers that one role's lookups have brought, for as long as the DNS lets them be
// kept.
//
// Each role has its own: in a shared one the time that a lookup takes would tell a worker what the
// workers of another role have looked up.
//
// Process: broker, the loop's thread. Owns its answers; at most so many, of which the one that has
// not been asked for longest goes first. Reads no clock. Find() allocates nothing.
// Sources: RFC 1035 section 3.2.1 (TTL 0), RFC 2308 (negative answers), RFC 8767 section 4 (a
// resolver may cap what it is told).

#ifndef SOCKGATE_BROKER_DNS_CACHE_H_
#define SOCKGATE_BROKER_DNS_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "broker/deadline_queue.h"
#include "broker/dns_answer.h"
#include "broker/policy/host_name.h"
#include "broker/resolver/resolver_options.h"

namespace sockgate {

// What a cache holds, and how often it was asked.
struct CacheCounts {
  size_t entries = 0;
  uint64_t hits = 0;
  uint64_t misses = 0;

  void Add(const CacheCounts& other) {
    entries += other.entries;
    hits += other.hits;
    misses += other.misses;
  }
};

class DnsCache {
 public:
  static constexpr size_t kMostAnswers = 4096;

  explicit DnsCache(size_t most = kMostAnswers, TtlBounds bounds = {})
      : most_(most), bounds_(bounds) {}
  DnsCache(const DnsCache&) = delete;
  DnsCache& operator=(const DnsCache&) = delete;

  // An answer and how long it still holds, rounded down. Null: there is none.
  struct Hit {
    std::shared_ptr<const DnsAnswer> answer;
    uint32_t ttl_seconds = 0;
  };
  Hit Find(const HostName& name, TimePoint now);

  // Keeps the answer if it is of the lasting kind, and returns for how many seconds it holds, kept
  // or not. The one of before is forgotten in either case.
  uint32_t Put(const HostName& name, std::shared_ptr<const DnsAnswer> answer, TimePoint now);

  size_t size() const { return by_name_.size(); }

 private:
  struct Entry {
    std::string name;
    std::shared_ptr<const DnsAnswer> answer;
    TimePoint until;
  };
  using Entries = std::list<Entry>;

  uint32_t Lifetime(const DnsAnswer& answer) const;
  void Remove(Entries::iterator entry);

  const size_t most_;
  const TtlBounds bounds_;
  Entries entries_;  // the one that was asked for last comes first
  absl::flat_hash_map<absl::string_view, Entries::iterator> by_name_;  // keys are the entries' own
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_DNS_CACHE_H_
