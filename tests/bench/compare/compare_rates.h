// The part of the comparison that is measured in rounds: in each, every way takes one turn at every
// measure, in random order, and all go to the same address.
//
// A way that fails gets a remark and is left out from then on; what it did before counts.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_RATES_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_RATES_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/bench/compare/compare_figures.h"
#include "tests/bench/compare/contenders.h"
#include "tests/bench/compare/target_server.h"

namespace sockgate::bench {

struct RatesPlan {
  std::vector<std::string> only;  // keys of measures; empty: all
  std::chrono::milliseconds budget{0};
};

// Fills in the rows, one for each contender, and what the report says of the rounds. Error: the
// baseline failed, or local ports would run out.
absl::Status MeasureRates(const RatesPlan& plan, const std::vector<Contender>& contenders,
                          const TargetServer& server, CompareReport* report);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_RATES_H_
