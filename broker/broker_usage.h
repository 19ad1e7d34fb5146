// BrokerUsage: what one broker has given out, over all its event loops, and how much it may.
//
// Process: broker. Threads: any.
// A broker that came to the end of its descriptors or its memory would fail every worker for what
// some had taken. So the ways by which a process can have ever more of the broker, which are new
// channels, tracked connections and looked up names, end before: what workers keep leaves a quarter
// of the descriptors to the sockets that are only passed on.
// Memory is what malloc(3) has given out, as it was some seconds ago at most.

#ifndef SOCKGATE_BROKER_BROKER_USAGE_H_
#define SOCKGATE_BROKER_BROKER_USAGE_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "broker/deadline_queue.h"
#include "broker/policy/broker_limits.h"
#include "broker/role_usage.h"
#include "proto/messages.h"

namespace sockgate {

size_t AllocatedBytes();

// In bytes; a test may have others.
struct MemoryGauges {
  std::function<size_t()> resident = AllocatedBytes;   // cheap
  std::function<size_t()> allocated = AllocatedBytes;  // takes locks, and longer the more there is
};

class BrokerUsage {
 public:
  explicit BrokerUsage(MemoryGauges gauges = {}) : gauges_(std::move(gauges)) {}
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

  // A reply waits because the kernel refuses to pass one more descriptor (ETOOMANYREFS), or no more.
  void BeginInFlightWait() { RoleUsage::Increment(&in_flight_waits_); }
  void EndInFlightWait() { RoleUsage::Decrement(&in_flight_waits_); }
  bool TooManyInFlight() const { return in_flight_waits_.load(std::memory_order_relaxed) > 0; }

  uint32_t kept_descriptors() const { return kept_.count.load(); }

 private:
  static constexpr std::chrono::seconds kBetweenLooks{1};
  // Where what is resident does not tell, since freed memory may stay so.
  static constexpr std::chrono::seconds kBetweenCloseLooks{10};

  const MemoryGauges gauges_;
  KeptDescriptors kept_;
  std::atomic<uint32_t> limit_on_kept_{0};  // as it was set
  std::atomic<uint64_t> max_bytes_{0};
  std::atomic<TimePoint> look_again_{TimePoint::min()};
  std::atomic<bool> no_memory_{false};
  RoleUsage::Count in_flight_waits_{0};
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<RoleUsage>, std::less<>> roles_;  // guarded by mutex_
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_BROKER_USAGE_H_
