// The comparison as one chart: four columns of ratios, where more is better, and two of costs.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_CHART_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_CHART_H_

#include "tests/bench/compare/bar_chart.h"
#include "tests/bench/compare/compare_figures.h"

namespace sockgate::bench {

BarChart ChartOf(const CompareReport& report);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_CHART_H_
