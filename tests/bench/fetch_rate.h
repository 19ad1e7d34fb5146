// How many small fetches a second, each over a new connection.
//
// Interleaved: a round has every side perform one batch of every load, in random order, against one
// address. The clock runs in the fetching process.

#ifndef SOCKGATE_TESTS_BENCH_FETCH_RATE_H_
#define SOCKGATE_TESTS_BENCH_FETCH_RATE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/bench_broker.h"
#include "tests/bench/fetch_loop.h"
#include "tests/bench/fetch_sides.h"
#include "tests/bench/figures.h"

namespace sockgate::bench {

struct Load {
  uint32_t concurrency = 1;
  uint32_t batch = 1;  // fetches in a round
  FetchHosts hosts = FetchHosts::kAddress;
};

struct RateRow {
  std::string side;
  Load load;
  double per_second = 0;     // median over the rounds
  Spread ratio;              // over the rounds, to the first side at this load
  double broker_cpu_us = 0;  // per fetch; 0 where there is no broker
};

struct RateTable {
  size_t rounds = 0;
  std::vector<RateRow> rows;  // by load, then by side
};

// Takes about `budget`, but at least one round. The URLs of the sides are as many.
absl::StatusOr<RateTable> MeasureSides(const std::vector<FetchSide>& sides,
                                       const std::vector<Load>& loads, size_t urls,
                                       BenchBroker* broker, std::chrono::milliseconds budget);

// Plain libcurl against both modes of the adapter, one, 10 and 100 at a time. Forks: needs a
// process with one thread.
absl::StatusOr<RateTable> MeasureRates(std::chrono::milliseconds budget);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_FETCH_RATE_H_
