// ConnectionEnd: how a tracked connection ended, and what had gone over it by then.
//
// Process: broker. A value.

#ifndef SOCKGATE_BROKER_CONNECTION_END_H_
#define SOCKGATE_BROKER_CONNECTION_END_H_

#include <chrono>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace sockgate {

struct ConnectionEnd {
  enum class By : uint8_t {
    kWorker,       // shut it down first
    kPeer,         // sent its FIN first
    kReset,        // the peer reset it, or the kernel gave it up
    kAge,          // the broker cut it: older than its role allows
    kPolicy,       // cut: the policy of now denies it
    kRevoked,      // cut: an operator wanted it so
    kWorkerGone,   // cut: the worker's last channel ended
    kUntracked,    // it goes on: its role does not ask for tracking any more
    kBrokerStops,  // it goes on
  };

  By by = By::kWorker;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  std::chrono::nanoseconds duration{0};  // since the handshake ended
};

// As in the audit log.
absl::string_view Word(ConnectionEnd::By by);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONNECTION_END_H_
