// How many fetches by HTTPS a second, each over a new connection, with all that the system trusts.
//
// Forks: needs a process with one thread.

#ifndef SOCKGATE_TESTS_BENCH_TLS_RATE_H_
#define SOCKGATE_TESTS_BENCH_TLS_RATE_H_

#include <chrono>

#include "absl/status/statusor.h"
#include "tests/bench/fetch_rate.h"

namespace sockgate::bench {

absl::StatusOr<RateTable> MeasureTlsRates(std::chrono::milliseconds budget);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_TLS_RATE_H_
