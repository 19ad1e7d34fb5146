#include "tests/bench/figures.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace sockgate::bench {
namespace {

// Orders only what the answer needs.
double NearestRank(std::vector<double>& sample, double fraction) {
  const auto rank = std::ceil(fraction * static_cast<double>(sample.size()));
  const auto index = static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(sample.begin(), sample.begin() + index, sample.end());
  return sample[static_cast<size_t>(index)];
}

}  // namespace

Percentiles PercentilesOf(std::vector<double> sample) {
  if (sample.empty()) return {};
  return {NearestRank(sample, 0.5), NearestRank(sample, 0.9), NearestRank(sample, 0.99)};
}

Spread SpreadOf(const std::vector<double>& sample) {
  if (sample.empty()) return {};
  const auto [min, max] = std::minmax_element(sample.begin(), sample.end());
  return {MedianOf(sample), *min, *max};
}

double MedianOf(std::vector<double> sample) { return PercentilesOf(std::move(sample)).p50; }

std::vector<double> RatiosOf(const std::vector<double>& sample,
                             const std::vector<double>& baseline) {
  std::vector<double> ratios(sample.size());
  std::transform(sample.begin(), sample.end(), baseline.begin(), ratios.begin(),
                 [](double value, double base) { return value / base; });
  return ratios;
}

}  // namespace sockgate::bench
