// How a program that a launcher executes finds its channel, and how a worker asks its launcher for
// another one.
//
// Process: the launcher, and the program. PROTOCOL.md does not depend on it: a channel may reach a
// worker in any way.

#ifndef SOCKGATE_PROTO_HANDOVER_H_
#define SOCKGATE_PROTO_HANDOVER_H_

#include <cstdint>

namespace sockgate {

// The channel's descriptor number, and the environment variable that says so.
inline constexpr int kChannelDescriptor = 3;
inline constexpr char kChannelVariable[] = "SOCKGATE_CHANNEL";

// The environment variable with the number of the descriptor on which a worker asks its launcher
// for another channel. Not set where the launcher has none to give.
inline constexpr char kSourceVariable[] = "SOCKGATE_CHANNEL_SOURCE";

// What is said there, over a SOCK_SEQPACKET pair: packets of one byte. The worker sends this one,
// and never a descriptor. Each gets one answer.
inline constexpr uint8_t kAskForChannel = 1;

enum class SourceAnswer : uint8_t {
  kChannel = 1,   // with the worker's end of a new channel, on which nothing has been said
  kNoBroker = 2,  // nobody listens, or no more can be let in now
  kTooOften = 3,  // the launcher did not even try
};

}  // namespace sockgate

#endif  // SOCKGATE_PROTO_HANDOVER_H_
