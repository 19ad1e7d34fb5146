// RoleUsage: what all workers of one role have at the moment, over all event loops.
//
// Process: broker. Threads: any. The counts are for bounds and for the operator, so each is right by
// itself, and two of them are not of one moment. The buckets of the rates have a lock, which only
// roles with such a rate ever take.

#ifndef SOCKGATE_BROKER_ROLE_USAGE_H_
#define SOCKGATE_BROKER_ROLE_USAGE_H_

#include <atomic>
#include <cstdint>
#include <mutex>

#include "broker/deadline_queue.h"
#include "broker/policy/role.h"
#include "broker/rate_limit.h"

namespace sockgate {

class RoleUsage {
 public:
  using Count = std::atomic<uint32_t>;

  Count workers{0};
  Count channels{0};
  Count pending{0};  // handshakes that go on
  Count lookups{0};  // that wait for a name server

  static void Increment(Count* count) { count->fetch_add(1, std::memory_order_relaxed); }
  static void Decrement(Count* count) { count->fetch_sub(1, std::memory_order_relaxed); }

  // Whether one more is over the bound; 0: there is none.
  static bool IsFull(const Count& count, uint32_t most) {
    return most != 0 && count.load(std::memory_order_relaxed) >= most;
  }

  // 0, or after how many milliseconds to try again.
  uint32_t TakeConnect(const RoleTotals& totals, TimePoint now);
  uint32_t TakeLookup(const RoleTotals& totals, TimePoint now);

 private:
  std::mutex mutex_;
  RateLimit connects_;  // guarded by mutex_, as the other
  RateLimit lookups_taken_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_ROLE_USAGE_H_
