// Compare: the whole comparison, from a network of its own to the figures.
//
// Process: one thread, and it leaves the network that it was started in. Privilege: namespaces, see
// compare_main.cc. What it cannot do it says on standard error.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_COMPARISON_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_COMPARISON_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/compare/compare_figures.h"
#include "tests/bench/compare/contenders.h"

namespace sockgate::bench {

struct ComparisonOptions {
  int seconds = 150;
  std::vector<std::string> only;  // MeasureKeys(); empty: all
  std::vector<std::string> ways;  // ContenderKeys(); empty: all
  size_t connections = 5000;
  size_t bulk_mib = 256;
  bool own_server = false;  // the tests' own, even where there is nginx
  std::string sockgate = "tool/sockgate";
};

absl::StatusOr<CompareReport> Compare(const ComparisonOptions& options);

// All that ComparisonOptions::only may say.
std::vector<std::string> MeasureKeys();

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_COMPARISON_H_
