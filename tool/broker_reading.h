// BrokerReading: what a broker said of itself at one moment, as broker/control/CONTROL.md has it.
//
// Process: the operator's command. A plain value. Texts are as the broker sent them: whoever shows
// them passes them through PrintableText().

#ifndef SOCKGATE_TOOL_BROKER_READING_H_
#define SOCKGATE_TOOL_BROKER_READING_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tool/latency_histogram.h"

namespace sockgate {

struct BrokerReading {
  // Absent: this broker does not say.
  using Count = std::optional<uint64_t>;
  using Flag = std::optional<bool>;

  struct LastError {
    std::string at;
    std::vector<std::string> findings;  // a line each
  };

  struct Policy {
    std::string file;
    uint64_t generation = 0;
    std::string loaded_at;
    std::optional<LastError> last_error;
  };

  struct Process {
    Count descriptors;
    Count descriptor_limit;
    Count memory_bytes;
    Count wakeups;
    Count cpu_us;
  };

  struct Audit {
    Count lines;
    Count lost;
    Count waiting_bytes;
    Flag full;
  };

  struct Resolver {
    std::string state;
    Count questions;
    Count cache_entries;
    Count cache_hits;
    Count cache_misses;
  };

  // Of connects, or of lookups.
  struct Requests {
    Count asked;
    Count allowed;  // those of report mode are among them
    Count denied;
    Count would_deny;
    Count limited;
    Count bad_request;
    Count done;  // connected, or resolved
    Count failed;
  };

  // What a policy denies for one reason, by one rule.
  struct Rule {
    std::string reason;
    uint64_t number = 0;  // 0: none
    uint64_t line = 0;    // 0: none
    bool operator<(const Rule& other) const;
  };

  struct Role {
    std::string mode;
    bool removed = false;
    Count rules;
    Count workers;
    Count channels;
    Count pending;
    Count unread;
    Count tracked;
    Requests connects;
    Requests lookups;
    std::map<std::string, uint64_t> limits;  // by reason
    std::map<Rule, uint64_t> denials;        // since the policy was loaded
    Count violations;
    Count bytes_sent;
    Count bytes_received;
    std::optional<LatencyHistogram> connect_times;
  };

  struct Listen {
    std::string path;
    std::string role;
    std::string mode;
  };

  Policy policy;
  std::string cage;        // in words; empty: the broker does not say
  std::string started_at;  // likewise
  Count uptime_s;
  Count threads;
  Flag stopping;
  Process process;
  std::optional<Audit> audit;
  std::optional<Resolver> resolver;  // absent: names are not resolved
  std::map<std::string, Role> roles;
  std::vector<Listen> listen;
  bool cut = false;  // there was more than fits a reply
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_BROKER_READING_H_
