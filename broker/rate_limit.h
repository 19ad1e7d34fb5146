// RateLimit: how often a worker may have something, as a bucket that fills with tokens.
//
// Process: broker, the loop's thread. A small value; allocates nothing, reads no clock. Integers
// only: a level in billionths of a token, so that a nanosecond adds as many as the rate says.
// A bucket is a worker's and goes with it: one that can still connect to the broker's path can have
// a full one anew.

#ifndef SOCKGATE_BROKER_RATE_LIMIT_H_
#define SOCKGATE_BROKER_RATE_LIMIT_H_

#include <cstdint>
#include <optional>

#include "broker/deadline_queue.h"

namespace sockgate {

class RateLimit {
 public:
  // Takes a token. 0 if there was one, otherwise after how many milliseconds to try again, at least
  // 1, and nothing is taken. A bucket begins full. The numbers may be others than the last time:
  // the level stays, as far as the new burst has room for it. A rate of 0 is no limit, a burst of 0
  // counts as 1.
  uint32_t Take(uint32_t per_second, uint32_t burst, TimePoint now);
  // Of a token that was taken and not used.
  void GiveBack();

 private:
  void Fill(uint64_t rate, uint64_t room, TimePoint now);

  uint64_t level_ = 0;
  std::optional<TimePoint> filled_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RATE_LIMIT_H_
