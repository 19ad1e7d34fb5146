// BrokerLimits: what all workers of all roles may have together.

#ifndef SOCKGATE_BROKER_POLICY_BROKER_LIMITS_H_
#define SOCKGATE_BROKER_POLICY_BROKER_LIMITS_H_

#include <cstdint>

namespace sockgate {

struct BrokerLimits {
  // 0: as many as three quarters of the descriptors that the process may have.
  uint32_t max_channels = 0;
  // Mebibytes that are allocated, beyond which there are no new workers, channels and lookups; 0:
  // no bound.
  uint32_t max_memory_mib = 1024;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_BROKER_LIMITS_H_
