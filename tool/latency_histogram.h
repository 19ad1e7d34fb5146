// LatencyHistogram: how long things took, by how many took no longer than each of some bounds.
//
// Process: the operator's command. Pure.

#ifndef SOCKGATE_TOOL_LATENCY_HISTOGRAM_H_
#define SOCKGATE_TOOL_LATENCY_HISTOGRAM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sockgate {

struct LatencyHistogram {
  struct Bucket {
    uint64_t bound_us = 0;
    uint64_t count = 0;  // that took no longer: those of the buckets before are among them
  };

  uint64_t count = 0;  // with those that took longer than any bound
  uint64_t sum_us = 0;
  std::vector<Bucket> buckets;

  // Whether bounds rise and counts do not fall, up to `count`.
  bool MakesSense() const;

  // How long the `share` took that took least, such as 0.99 of them. Within a bucket all is taken to
  // be spread evenly; of what is beyond the last bound that bound is known and no more.
  struct Quantile {
    uint64_t us = 0;
    bool or_more = false;
  };
  // Nothing when nothing was counted.
  std::optional<Quantile> At(double share) const;

  // What was counted since then, or nothing if not all that had been counted then is in this one.
  std::optional<LatencyHistogram> Since(const LatencyHistogram& before) const;

 private:
  uint64_t CountUpTo(uint64_t bound_us) const;
};

// "1.2ms", ">30s", "-" for nothing.
std::string QuantileText(const std::optional<LatencyHistogram>& times, double share);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_LATENCY_HISTOGRAM_H_
