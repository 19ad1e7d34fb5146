// What is put into which table, with which words.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_TABLES_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_TABLES_H_

#include <string>

#include "tests/bench/compare/compare_figures.h"
#include "tests/bench/compare/figure_table.h"

namespace sockgate::bench {

// Rates as ratios to the first row, with the extremes of the rounds.
FigureTable RatioTable(const CompareReport& report);

// Processor time and memory of the helpers.
FigureTable CostTable(const CompareReport& report);

// Under which conditions this was measured; lines of prose.
std::string Conditions(const CompareReport& report);

// One line for each way that has a remark; may be empty.
std::string Remarks(const CompareReport& report);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_TABLES_H_
