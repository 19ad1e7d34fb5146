// How many small fetches a second, each from a URL with a name that has to be looked up.

#ifndef SOCKGATE_TESTS_BENCH_NAME_RATE_H_
#define SOCKGATE_TESTS_BENCH_NAME_RATE_H_

#include <chrono>

#include "absl/status/statusor.h"
#include "tests/bench/fetch_rate.h"

namespace sockgate::bench {

// Plain libcurl with libc's resolver, against libcurl that looks names up by the name shim (in its
// resolver thread), and by CurlAdapter::ResolveAhead(). Takes about `budget`, but at least one
// round. Forks: needs a process with one thread, in the network of name_network.h, with a
// NameServer.
absl::StatusOr<RateTable> MeasureNameRates(std::chrono::milliseconds budget);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_NAME_RATE_H_
