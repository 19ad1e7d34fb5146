// What a channel on which nothing happens costs the broker: memory, and whether anything wakes it.

#ifndef SOCKGATE_TESTS_BENCH_LOAD_IDLE_COST_H_
#define SOCKGATE_TESTS_BENCH_LOAD_IDLE_COST_H_

#include <cstddef>

#include "absl/status/statusor.h"

namespace sockgate::bench {

struct IdleCost {
  size_t channels = 0;
  double bytes_per_channel = 0;  // of the broker's resident memory; the kernel's is not in it
  double wakeups_without = 0;    // of the broker in a second, with no channel
  double wakeups_with = 0;       // the same with all of them
};

// Forks: needs a process with one thread.
absl::StatusOr<IdleCost> MeasureIdleCost(size_t workers, size_t channels_of_each);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_LOAD_IDLE_COST_H_
