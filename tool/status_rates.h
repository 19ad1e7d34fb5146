// StatusRates: what happened between two readings of one broker, per second.
//
// Process: the operator's command. Pure.

#ifndef SOCKGATE_TOOL_STATUS_RATES_H_
#define SOCKGATE_TOOL_STATUS_RATES_H_

#include <map>
#include <optional>
#include <string>

#include "tool/broker_reading.h"

namespace sockgate {

struct StatusRates {
  // Absent: one of the readings does not say.
  using Rate = std::optional<double>;

  struct Role {
    Rate asked;
    Rate denied;
    Rate would_deny;
    Rate limited;
    Rate failed;
    Rate lookups;
    std::map<BrokerReading::Rule, double> denials;  // those that both readings have
    std::optional<LatencyHistogram> connect_times;  // of the connects between the two
  };

  // A count went back, or the time: they are of two brokers. Then there are no rates.
  bool restarted = false;
  std::map<std::string, Role> roles;  // those that both readings have
  Rate cache_hits;
  Rate cache_misses;
  Rate audit_lines;
  Rate wakeups;
  Rate cpu_share;  // 1: one processor's whole time
};

// `seconds` lie between them, as the reader's own clock has it: the broker counts whole ones.
StatusRates RatesBetween(const BrokerReading& before, const BrokerReading& after, double seconds);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_STATUS_RATES_H_
