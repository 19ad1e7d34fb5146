#include "broker/broker_usage.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>

namespace sockgate {
namespace {

constexpr uint64_t kBytesInMib = uint64_t{1} << 20;

// Of the descriptors that the process may have now.
uint32_t ChannelsForDescriptors() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return UINT32_MAX;
  const rlim_t most = std::min<rlim_t>(limit.rlim_cur, UINT32_MAX);
  return static_cast<uint32_t>(most / 4 * 3);
}

}  // namespace

size_t BrokerUsage::AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void BrokerUsage::SetLimits(const BrokerLimits& limits) {
  limit_on_channels_ = limits.max_channels;
  CountDescriptors();
  max_bytes_ = limits.max_memory_mib * kBytesInMib;
  looked_at_ = TimePoint::min();
}

void BrokerUsage::CountDescriptors() {
  max_channels_ = limit_on_channels_ == 0 ? ChannelsForDescriptors() : limit_on_channels_.load();
}

RoleUsage* BrokerUsage::OfRole(absl::string_view name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto found = roles_.find(name);
  if (found == roles_.end()) {
    found = roles_.emplace(std::string{name}, std::make_unique<RoleUsage>()).first;
  }
  return found->second.get();
}

Reason BrokerUsage::WhyNoChannel(TimePoint now) {
  if (RoleUsage::IsFull(channels, max_channels_.load(std::memory_order_relaxed))) {
    return Reason::kDescriptors;
  }
  return WhyNoMemory(now);
}

// Two threads may look at the same time, and both are right.
Reason BrokerUsage::WhyNoMemory(TimePoint now) {
  const uint64_t most = max_bytes_.load(std::memory_order_relaxed);
  if (most == 0) return Reason::kNone;
  const TimePoint last = looked_at_.load(std::memory_order_relaxed);
  if (last == TimePoint::min() || now - last >= kBetweenLooks) {
    looked_at_.store(now, std::memory_order_relaxed);
    no_memory_.store(gauge_() >= most, std::memory_order_relaxed);
  }
  return no_memory_.load(std::memory_order_relaxed) ? Reason::kMemory : Reason::kNone;
}

}  // namespace sockgate
