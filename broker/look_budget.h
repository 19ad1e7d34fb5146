// LookBudget: how much of the broker's time may go into looking at workers' processes.
//
// Process: broker, the loop's thread. A small value; reads no clock. One for the whole broker: a
// worker is only a connection, and a process can make as many of those as it likes.
// A look may begin while less than kAtOnce is owed. Every look is owed in full, and 5% of the time
// that passes pays it back.

#ifndef SOCKGATE_BROKER_LOOK_BUDGET_H_
#define SOCKGATE_BROKER_LOOK_BUDGET_H_

#include <chrono>
#include <cstdint>

#include "broker/deadline_queue.h"

namespace sockgate {

class LookBudget {
 public:
  static constexpr int kOneIn = 20;
  // Some hundred honest workers, which have few threads, may come in one moment.
  static constexpr std::chrono::milliseconds kAtOnce{10};
  // No look counts for more, or one during which the broker itself was held up (by a debugger, say)
  // would keep workers out for long.
  static constexpr std::chrono::milliseconds kLongest{50};

  bool HasTime(TimePoint now) const { return now + kAtOnce * kOneIn > paid_at_; }
  // A look that began at `now` has taken so long.
  void Spend(TimePoint now, std::chrono::nanoseconds taken);

  uint64_t looks() const { return looks_; }

 private:
  TimePoint paid_at_ = TimePoint::min();
  uint64_t looks_ = 0;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_LOOK_BUDGET_H_
