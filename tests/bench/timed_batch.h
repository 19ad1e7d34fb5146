// TimeBatch: how long each connect of a batch takes.

#ifndef SOCKGATE_TESTS_BENCH_TIMED_BATCH_H_
#define SOCKGATE_TESTS_BENCH_TIMED_BATCH_H_

#include <cstddef>
#include <vector>

#include "tests/bench/accept_sink.h"
#include "tests/bench/connect_ways.h"

namespace sockgate::bench {

// Microseconds, for as many connects as `count`; empty when one failed. Sockets are closed after
// the last one: a socket that is closed at once may be torn down by the broker, which holds its
// duplicate a moment longer, in the time of the next connect.
std::vector<double> TimeBatch(const ConnectWay& way, const AcceptSink& sink, const Target& target,
                              size_t count);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_TIMED_BATCH_H_
