// BrokerStatus: what a broker says of itself when asked, as it was at one moment.

#ifndef SOCKGATE_BROKER_BROKER_STATUS_H_
#define SOCKGATE_BROKER_BROKER_STATUS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/cage_report.h"
#include "broker/policy/listen_at.h"
#include "broker/policy/policy.h"
#include "broker/resolver_state.h"

namespace sockgate {

struct BrokerStatus {
  struct Role {
    std::string name;
    PolicyMode mode = PolicyMode::kEnforce;
    bool removed = false;  // the policy has it no more, but workers do
    size_t rules = 0;
    size_t workers = 0;
    size_t channels = 0;
  };

  struct Resolver {
    ResolverState state = ResolverState::kAwaited;
    size_t questions = 0;  // that wait for it
  };

  uint64_t generation = 0;  // of the policy: 1, and one more for each that took its place
  std::vector<Role> roles;  // by name
  std::vector<ListenAt> listen;
  std::optional<Resolver> resolver;  // absent: names are not resolved
  CageReport cage;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_BROKER_STATUS_H_
