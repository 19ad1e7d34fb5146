// The first measurement: how long it takes until there is a connected socket.
//
// Interleaved: a round is one small batch of every way, in random order, towards one address. What
// surrounds the connect (closing, accepting, reading clocks of other processes) is not timed.

#ifndef SOCKGATE_TESTS_BENCH_CONNECT_LATENCY_H_
#define SOCKGATE_TESTS_BENCH_CONNECT_LATENCY_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/accept_sink.h"
#include "tests/bench/figures.h"

namespace sockgate::bench {

struct LatencyRow {
  std::string way;
  Percentiles us;            // of all connects
  Spread ratio;              // over the rounds, of the batches' medians to the baseline's
  double helper_cpu_us = 0;  // per connect; 0 where there is no helper
};

struct LatencyTable {
  Acceptor acceptor = Acceptor::kProcess;
  size_t rounds = 0;
  size_t batch = 0;              // connects of each way in a round
  std::vector<LatencyRow> rows;  // the baseline first
};

// Takes about `budget`, but at least one round. Forks: needs a process with one thread.
absl::StatusOr<LatencyTable> MeasureLatency(Acceptor acceptor, std::chrono::milliseconds budget);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_CONNECT_LATENCY_H_
