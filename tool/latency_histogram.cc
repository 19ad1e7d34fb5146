#include "tool/latency_histogram.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "tool/human_number.h"

namespace sockgate {
namespace {

// Where `wanted`, a number of things, is reached between two buckets.
uint64_t Between(const LatencyHistogram::Bucket& low, const LatencyHistogram::Bucket& high,
                 double wanted) {
  const auto things = static_cast<double>(high.count - low.count);
  const auto width = static_cast<double>(high.bound_us - low.bound_us);
  const double within = (wanted - static_cast<double>(low.count)) / things * width;
  return low.bound_us + static_cast<uint64_t>(std::max(within, 0.0));
}

}  // namespace

bool LatencyHistogram::MakesSense() const {
  const auto worse = [](const Bucket& a, const Bucket& b) {
    return b.bound_us <= a.bound_us || b.count < a.count;
  };
  return std::adjacent_find(buckets.begin(), buckets.end(), worse) == buckets.end() &&
         (buckets.empty() || buckets.back().count <= count);
}

std::optional<LatencyHistogram::Quantile> LatencyHistogram::At(double share) const {
  if (count == 0 || buckets.empty()) return std::nullopt;
  const double wanted = share * static_cast<double>(count);
  Bucket before;
  for (const Bucket& bucket : buckets) {
    if (bucket.count != before.count && static_cast<double>(bucket.count) >= wanted) {
      return Quantile{Between(before, bucket, wanted), false};
    }
    before = bucket;
  }
  return Quantile{before.bound_us, true};
}

// Bounds that a broker leaves out have no things of their own.
uint64_t LatencyHistogram::CountUpTo(uint64_t bound_us) const {
  uint64_t count_up_to = 0;
  for (const Bucket& bucket : buckets) {
    if (bucket.bound_us <= bound_us) count_up_to = bucket.count;
  }
  return count_up_to;
}

std::optional<LatencyHistogram> LatencyHistogram::Since(const LatencyHistogram& before) const {
  if (before.count > count || before.sum_us > sum_us) return std::nullopt;
  LatencyHistogram since;
  since.count = count - before.count;
  since.sum_us = sum_us - before.sum_us;
  for (const Bucket& bucket : buckets) {
    const uint64_t then = before.CountUpTo(bucket.bound_us);
    if (then > bucket.count) return std::nullopt;
    since.buckets.push_back({bucket.bound_us, bucket.count - then});
  }
  if (!since.MakesSense()) return std::nullopt;
  return since;
}

std::string QuantileText(const std::optional<LatencyHistogram>& times, double share) {
  const auto quantile = times.has_value() ? times->At(share) : std::nullopt;
  if (!quantile.has_value()) return "-";
  return absl::StrCat(quantile->or_more ? ">" : "", HumanMicroseconds(quantile->us));
}

}  // namespace sockgate
