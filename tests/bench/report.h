// All tables, for a person and for a program.

#ifndef SOCKGATE_TESTS_BENCH_REPORT_H_
#define SOCKGATE_TESTS_BENCH_REPORT_H_

#include <string>
#include <vector>

#include "tests/bench/connect_latency.h"
#include "tests/bench/fetch_rate.h"

namespace sockgate::bench {

struct Report {
  std::vector<LatencyTable> latency;
  RateTable rate;
};

// Aligned text, with a line of explanation above each table.
std::string ToText(const Report& report);

// An object {"latency": [{"acceptor", "rounds", "batch", "rows"}...], "rate": {"rounds", "rows"}};
// each row has the fields of its struct.
std::string ToJson(const Report& report);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_REPORT_H_
