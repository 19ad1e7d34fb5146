// The figures of load_bench, for a person and for a program.

#ifndef SOCKGATE_TESTS_BENCH_LOAD_LOAD_REPORT_H_
#define SOCKGATE_TESTS_BENCH_LOAD_LOAD_REPORT_H_

#include <string>
#include <vector>

#include "tests/bench/load/idle_cost.h"
#include "tests/bench/load/load_latency.h"

namespace sockgate::bench {

struct LoadReport {
  IdleCost idle;
  std::vector<LoadTable> tables;
};

std::string ToText(const LoadReport& report);

// An object {"idle", "tables"}; each has the fields of its struct.
std::string ToJson(const LoadReport& report);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_LOAD_LOAD_REPORT_H_
