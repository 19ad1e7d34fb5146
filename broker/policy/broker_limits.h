// BrokerLimits: what all workers of all roles may have together.

#ifndef SOCKGATE_BROKER_POLICY_BROKER_LIMITS_H_
#define SOCKGATE_BROKER_POLICY_BROKER_LIMITS_H_

#include <cstdint>

namespace sockgate {

struct BrokerLimits {
  // That workers may keep: of channels, tracked connections, and processes whose confinement is to be
  // shown. 0: as many as three quarters of those that the process may have.
  uint32_t max_descriptors = 0;
  // Mebibytes that are allocated, beyond which there are no new workers, channels and lookups; 0:
  // no bound.
  uint32_t max_memory_mib = 1024;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_BROKER_LIMITS_H_
