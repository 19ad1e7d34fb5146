// The second measurement: how many small fetches a second, each over a new connection.
//
// Interleaved: a round has every side perform one batch at every concurrency, in random order,
// against one address. The clock runs in the fetching process.

#ifndef SOCKGATE_TESTS_BENCH_FETCH_RATE_H_
#define SOCKGATE_TESTS_BENCH_FETCH_RATE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/figures.h"

namespace sockgate::bench {

struct RateRow {
  std::string side;
  uint32_t concurrency = 0;
  uint32_t batch = 0;        // fetches in a round
  double per_second = 0;     // median over the rounds
  Spread ratio;              // over the rounds, to plain libcurl at this concurrency
  double broker_cpu_us = 0;  // per fetch; 0 where there is no broker
};

struct RateTable {
  size_t rounds = 0;
  std::vector<RateRow> rows;  // by concurrency; plain libcurl first in each
};

// Takes about `budget`, but at least one round. Forks: needs a process with one thread.
absl::StatusOr<RateTable> MeasureRates(std::chrono::milliseconds budget);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_FETCH_RATE_H_
