// What a pool's launcher and its nursery say to each other: structs as they are, one a packet, since
// both are the same program.
//
// Process: launcher and nursery, which trust each other.

#ifndef SOCKGATE_CLIENT_LAUNCH_POOL_NURSERY_PACKETS_H_
#define SOCKGATE_CLIENT_LAUNCH_POOL_NURSERY_PACKETS_H_

#include <cstdint>

#include "absl/types/span.h"

namespace sockgate::launch {

struct NurseryOrder {
  enum class Kind : uint32_t {
    kChannel,  // with the worker's channel to the broker
    kBegin,    // with its stream, after kChannel
    kKill,
  };

  Kind kind;
  uint32_t worker;
};

struct NurseryNews {
  enum class Kind : uint32_t {
    kReady,    // once, the first
    kUnready,  // instead: `text`; the nursery ends
    kStarted,  // `text`
    kFailed,   // `text`
    kEnded,    // `signaled`, `code_or_signal`
  };

  Kind kind;
  uint32_t worker;
  uint32_t signaled;
  int32_t code_or_signal;
  char text[256];  // with a NUL
};

template <typename Packet>
absl::Span<const uint8_t> BytesOf(const Packet& packet) {
  return {reinterpret_cast<const uint8_t*>(&packet), sizeof(packet)};
}

template <typename Packet>
absl::Span<uint8_t> RoomIn(Packet& packet) {
  return {reinterpret_cast<uint8_t*>(&packet), sizeof(packet)};
}

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_POOL_NURSERY_PACKETS_H_
