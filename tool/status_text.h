// What `sockgate status` prints: a reading as lines for a person.
//
// Process: the operator's command. Pure. Tables fit 100 columns unless names are long; lines are
// printable ASCII, whatever the broker said.

#ifndef SOCKGATE_TOOL_STATUS_TEXT_H_
#define SOCKGATE_TOOL_STATUS_TEXT_H_

#include <string>
#include <vector>

#include "tool/broker_reading.h"
#include "tool/status_rates.h"

namespace sockgate {

// All of it, and in numbers since the broker began.
std::vector<std::string> StatusLines(const BrokerReading& reading);

// For one interval of many, the most important lines first: the last ones may not fit a screen.
std::vector<std::string> LiveLines(const BrokerReading& reading, const StatusRates& rates);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_STATUS_TEXT_H_
