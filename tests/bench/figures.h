// What many measurements of one thing amount to.
//
// Pure functions over values. An empty sample gives zeros.

#ifndef SOCKGATE_TESTS_BENCH_FIGURES_H_
#define SOCKGATE_TESTS_BENCH_FIGURES_H_

#include <vector>

namespace sockgate::bench {

struct Percentiles {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
};
// By the nearest rank, so each is a value of the sample.
Percentiles PercentilesOf(std::vector<double> sample);

struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};
Spread SpreadOf(const std::vector<double>& sample);

double MedianOf(std::vector<double> sample);

// Each value by the baseline's of the same round. Both samples are as long.
std::vector<double> RatiosOf(const std::vector<double>& sample,
                             const std::vector<double>& baseline);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_FIGURES_H_
