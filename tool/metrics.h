// sockgate metrics: a running broker's numbers for Prometheus.
//
// Process: the operator's command, root's or the broker's own user's.

#ifndef SOCKGATE_TOOL_METRICS_H_
#define SOCKGATE_TOOL_METRICS_H_

#include <string>

namespace sockgate {

struct MetricsOptions {
  std::string control;
  std::string output;  // empty: standard output
};

// Returns the exit status: 0, or 1 when there is no broker or the file cannot be written, which
// then stays as it was.
int Metrics(const MetricsOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_METRICS_H_
