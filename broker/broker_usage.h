// BrokerUsage: what one broker has given out, over all its event loops, and how much it may.
//
// Process: broker. Threads: any.
// A broker that came to the end of its descriptors or its memory would fail every worker for what
// some had taken. So the ways by which a process can have ever more of the broker, which are new
// channels and looked up names, end before: channels leave a quarter of the descriptors to the
// sockets that channels are there for.
// Memory is what malloc(3) has given out, as it was at most a second ago.

#ifndef SOCKGATE_BROKER_BROKER_USAGE_H_
#define SOCKGATE_BROKER_BROKER_USAGE_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/strings/string_view.h"
#include "broker/deadline_queue.h"
#include "broker/policy/broker_limits.h"
#include "broker/role_usage.h"
#include "proto/messages.h"

namespace sockgate {

class BrokerUsage {
 public:
  // Bytes in use; a test may have another. Not on the path of each request: it takes locks.
  using MemoryGauge = size_t (*)();
  static size_t AllocatedBytes();

  explicit BrokerUsage(MemoryGauge gauge = AllocatedBytes) : gauge_(gauge) {}
  BrokerUsage(const BrokerUsage&) = delete;
  BrokerUsage& operator=(const BrokerUsage&) = delete;

  void SetLimits(const BrokerLimits& limits);
  // The process may have another number of descriptors than before.
  void CountDescriptors();

  // Lives as long as this.
  RoleUsage* OfRole(absl::string_view name);

  // What stands in the way of one more channel, or of whatever else stays in memory; or kNone.
  Reason WhyNoChannel(TimePoint now);
  Reason WhyNoMemory(TimePoint now);

  RoleUsage::Count channels{0};

 private:
  static constexpr std::chrono::seconds kBetweenLooks{1};

  const MemoryGauge gauge_;
  std::atomic<uint32_t> limit_on_channels_{0};  // as it was set
  std::atomic<uint32_t> max_channels_{UINT32_MAX};
  std::atomic<uint64_t> max_bytes_{0};
  std::atomic<TimePoint> looked_at_{TimePoint::min()};
  std::atomic<bool> no_memory_{false};
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<RoleUsage>, std::less<>> roles_;  // guarded by mutex_
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_BROKER_USAGE_H_
