// The tables of a reading: roles with their connects, their lookups and connections, what was
// denied and what was limited.
//
// Process: the operator's command. Pure. With rates, a table tells of the time between two readings,
// in numbers per second; without, of all the time that the broker has run. What a broker does not
// say is "-". A table that would be empty is no lines at all.
// Hostile input: names, which are made printable.

#ifndef SOCKGATE_TOOL_ROLE_TABLES_H_
#define SOCKGATE_TOOL_ROLE_TABLES_H_

#include <string>
#include <vector>

#include "tool/broker_reading.h"
#include "tool/status_rates.h"

namespace sockgate {

using Lines = std::vector<std::string>;

// Of each role: who is there, and what has come of their connects.
Lines ConnectsTable(const BrokerReading& reading);
// The same of an interval.
Lines LiveTable(const BrokerReading& reading, const StatusRates& rates);
// Of each role: lookups, connections that are tracked, and what workers did wrong.
Lines TrafficTable(const BrokerReading& reading);
// The most frequent ones; `rates` may be null.
Lines DenialsTable(const BrokerReading& reading, const StatusRates* rates);
Lines LimitsTable(const BrokerReading& reading);
Lines ListenTable(const BrokerReading& reading);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_ROLE_TABLES_H_
