// What sockgate means to reach, and whether a run did.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_AIMS_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_AIMS_H_

#include "tests/bench/compare/compare_figures.h"
#include "tests/bench/compare/figure_table.h"

namespace sockgate::bench {

// One row for each aim that was measured, one column for each way through sockgate.
FigureTable AimTable(const CompareReport& report);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_AIMS_H_
