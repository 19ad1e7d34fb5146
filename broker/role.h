// Role: what a worker may do. Fixed to a channel by the broker's side, never chosen by the worker.

#ifndef SOCKGATE_BROKER_ROLE_H_
#define SOCKGATE_BROKER_ROLE_H_

#include <cstdint>
#include <string>

#include "broker/policy/policy.h"

namespace sockgate {

// Per worker. What is over a limit is answered Outcome::kLimited with the limit's reason. There is
// no limit on how often a worker may ask.
struct Limits {
  // Requests of one channel that wait for a reply; 1 to kMaxOutstanding.
  uint16_t max_outstanding = 256;
  // Handshakes that go on, and sockets in replies that wait for room.
  uint32_t max_pending = 512;
  uint32_t max_channels = 32;
  // How long replies may wait because the worker does not read; then it loses the channel.
  uint32_t unread_patience_ms = 30'000;
};

struct Role {
  std::string name;
  Policy policy;
  Limits limits;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_ROLE_H_
