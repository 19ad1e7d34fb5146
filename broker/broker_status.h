// BrokerStatus: what a broker says of itself when asked, as it was at one moment.

#ifndef SOCKGATE_BROKER_BROKER_STATUS_H_
#define SOCKGATE_BROKER_BROKER_STATUS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/policy/listen_at.h"
#include "broker/policy/policy.h"

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

  uint64_t generation = 0;  // of the policy: 1, and one more for each that took its place
  std::vector<Role> roles;  // by name
  std::vector<ListenAt> listen;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_BROKER_STATUS_H_
