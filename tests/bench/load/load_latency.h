// What a healthy worker's connect costs, beside others and without them.
//
// Interleaved: a round is one small batch for each side and mode, in random order. Sides:
//   alone      nothing else goes on, or, for a load that only waits, the same with a broker of its
//              own that has no load
//   elsewhere  floods only: the same flood meets another broker. So this is what the machine's
//              processors being busy costs, which no broker can help
//   here       the load meets the worker's own broker

#ifndef SOCKGATE_TESTS_BENCH_LOAD_LOAD_LATENCY_H_
#define SOCKGATE_TESTS_BENCH_LOAD_LOAD_LATENCY_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/figures.h"
#include "tests/bench/load/load_crowd.h"

namespace sockgate::bench {

struct LoadSide {
  std::string side;
  Percentiles us;           // of all connects
  Spread p50_ratio;         // over the rounds, to alone in the same round
  Spread p99_ratio;         // the same
  double p99_to_alone = 0;  // of all connects
  double broker_cpu = 0;    // how much of a processor the broker used meanwhile
};

struct LoadTable {
  std::string load;
  std::string mode;
  size_t rounds = 0;
  size_t batch = 0;
  double per_second = 0;  // what a flood got done here; 0: it is none
  std::vector<LoadSide> sides;
};

// One table for each mode. Takes about `budget`, but at least one round. Forks: needs a process
// with one thread, in the test network. `plan.path` and `plan.targets` are set here.
absl::StatusOr<std::vector<LoadTable>> MeasureLoad(CrowdPlan plan,
                                                   std::chrono::milliseconds budget);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_LOAD_LOAD_LATENCY_H_
