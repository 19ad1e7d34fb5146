// BrokerStatus: what a broker says of itself when asked, as it was at one moment.

#ifndef SOCKGATE_BROKER_BROKER_STATUS_H_
#define SOCKGATE_BROKER_BROKER_STATUS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/cage_report.h"
#include "broker/dns_cache.h"
#include "broker/policy/listen_at.h"
#include "broker/policy/policy.h"
#include "broker/process_gauge.h"
#include "broker/resolver_state.h"
#include "broker/role_metrics.h"

namespace sockgate {

struct BrokerStatus {
  struct Role {
    PolicyMode mode = PolicyMode::kEnforce;
    bool removed = false;  // the policy has it no more, but workers do
    size_t rules = 0;
    size_t workers = 0;
    size_t channels = 0;
    size_t pending = 0;  // handshakes
    size_t unread = 0;   // replies that wait because a worker does not read
    size_t tracked = 0;  // connections that are open, and handshakes that will be tracked
    RoleMetrics metrics;
  };

  struct Resolver {
    ResolverState state = ResolverState::kAwaited;
    size_t questions = 0;  // that wait for it
    CacheCounts cache;
  };

  struct Audit {
    uint64_t lines = 0;
    uint64_t lost = 0;
    size_t waiting_bytes = 0;
    bool full = false;
  };

  uint64_t generation = 0;            // of the policy: 1, and one more for each that took its place
  std::map<std::string, Role> roles;  // by name
  std::vector<ListenAt> listen;
  std::optional<Resolver> resolver;  // absent: names are not resolved
  CageReport cage;
  std::chrono::system_clock::time_point started_at;
  std::chrono::milliseconds uptime{0};
  size_t threads = 0;
  bool stopping = false;
  ProcessGauge::Reading process;
  uint64_t wakeups = 0;
  Audit audit;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_BROKER_STATUS_H_
