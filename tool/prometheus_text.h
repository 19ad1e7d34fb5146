// PrometheusText: a reading as Prometheus scrapes it, in its text format of version 0.0.4.
//
// Process: the operator's command. Pure. broker/control/METRICS.md says what each metric is. What a
// broker does not say has no sample, and a metric without a sample is left out.
// Hostile input: names and reasons, which are made printable and escaped.

#ifndef SOCKGATE_TOOL_PROMETHEUS_TEXT_H_
#define SOCKGATE_TOOL_PROMETHEUS_TEXT_H_

#include <string>

#include "tool/broker_reading.h"

namespace sockgate {

std::string PrometheusText(const BrokerReading& reading);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_PROMETHEUS_TEXT_H_
