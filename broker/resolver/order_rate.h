// OrderRate: how many sockets were ordered in this second. Both ends of the socket channel count:
// the resolver so that an honest one is never taken for a flood.
//
// Process: broker and resolver. A value; reads no clock.

#ifndef SOCKGATE_BROKER_RESOLVER_ORDER_RATE_H_
#define SOCKGATE_BROKER_RESOLVER_ORDER_RATE_H_

#include <chrono>
#include <cstdint>

namespace sockgate {

// Sockets that one resolver gets in a second.
inline constexpr uint32_t kMaxSocketsPerSecond = 4096;

class OrderRate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Which order of this second this one is, from 1.
  uint32_t Count(TimePoint now) {
    if (now - second_began_ >= std::chrono::seconds(1)) {
      second_began_ = now;
      orders_ = 0;
    }
    return ++orders_;
  }

 private:
  TimePoint second_began_ = {};
  uint32_t orders_ = 0;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_ORDER_RATE_H_
