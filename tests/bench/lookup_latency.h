// How long one lookup takes, by libc and through the broker.
//
// Interleaved: a round is one small batch of every way, in random order. All ways but the bare
// round trip end at the same name server.

#ifndef SOCKGATE_TESTS_BENCH_LOOKUP_LATENCY_H_
#define SOCKGATE_TESTS_BENCH_LOOKUP_LATENCY_H_

#include <chrono>
#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/connect_latency.h"

namespace sockgate::bench {

struct LookupTable {
  size_t rounds = 0;
  size_t batch = 0;              // lookups of each way in a round
  std::vector<LatencyRow> rows;  // the baseline, libc's, first
};

// Takes about `budget`, but at least one round. Forks: needs a process with one thread, in the
// network of name_network.h, with a NameServer.
absl::StatusOr<LookupTable> MeasureLookups(std::chrono::milliseconds budget);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_LOOKUP_LATENCY_H_
