// MetricFamily: one metric of Prometheus's text format, with all its samples together.
//
// Process: the operator's command. Pure.
// Hostile input: the values of labels.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/

#ifndef SOCKGATE_TOOL_METRIC_FAMILY_H_
#define SOCKGATE_TOOL_METRIC_FAMILY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tool/latency_histogram.h"

namespace sockgate {

// Microseconds in seconds, exactly: "0.00005", "12", "1.5".
std::string SecondsText(uint64_t microseconds);

class MetricFamily {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  // `type` is "counter", "gauge" or "histogram"; `help` needs no escaping.
  MetricFamily(std::string name, const std::string& type, const std::string& help);

  // What is absent is no sample.
  void Add(const std::optional<uint64_t>& value, const Labels& labels = {});
  void AddFlag(const std::optional<bool>& value, const Labels& labels = {});
  void AddMicroseconds(const std::optional<uint64_t>& value, const Labels& labels = {});
  void AddHistogram(const std::optional<LatencyHistogram>& times, const Labels& labels);

  // Nothing when there is no sample.
  const std::string& Text() const;

 private:
  void AddSample(const char* suffix, const Labels& labels, const std::string& value);

  const std::string name_;
  std::string text_;
  bool empty_ = true;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_METRIC_FAMILY_H_
