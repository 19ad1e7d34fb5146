// What a connect costs where nobody helps: the processor time of socket() and connect() to a server
// on loopback, which includes the kernel's work for the other end.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_CONNECT_COST_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_CONNECT_COST_H_

#include <cstdint>

#include "absl/status/statusor.h"

namespace sockgate::bench {

// Of one, on average over a batch. The connections are closed with a RST, outside of the count.
absl::StatusOr<double> ConnectCpuMicroseconds(uint16_t port);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_CONNECT_COST_H_
