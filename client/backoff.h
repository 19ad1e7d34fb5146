// Backoff: how long to pause between attempts that fail: twice as long each time, and by chance
// anything between a step and twice that step, so that the workers of a broker that was started
// anew do not all come at once.
//
// Process: worker. A value type. Threads: one at a time. Does not block, reads no clock.

#ifndef SOCKGATE_CLIENT_BACKOFF_H_
#define SOCKGATE_CLIENT_BACKOFF_H_

#include <chrono>
#include <cstdint>
#include <random>

namespace sockgate {

class Backoff {
 public:
  static constexpr std::chrono::milliseconds kShortest{50};
  static constexpr std::chrono::milliseconds kLongest{5000};

  // Those with different seeds pause differently.
  explicit Backoff(uint32_t seed) : chance_(seed) {}

  // The pause before the next attempt.
  std::chrono::milliseconds Next();

  // An attempt went well: the next pause is as short as the first.
  void Reset() { step_ = kShortest; }

 private:
  std::chrono::milliseconds step_ = kShortest;
  std::minstd_rand chance_;
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_BACKOFF_H_
