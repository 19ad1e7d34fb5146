// How a program that a launcher executes finds its channel.
//
// Process: the launcher, and the program. PROTOCOL.md does not depend on it: a channel may reach a
// worker in any way.

#ifndef SOCKGATE_PROTO_HANDOVER_H_
#define SOCKGATE_PROTO_HANDOVER_H_

namespace sockgate {

// The channel's descriptor number, and the environment variable that says so.
inline constexpr int kChannelDescriptor = 3;
inline constexpr char kChannelVariable[] = "SOCKGATE_CHANNEL";

}  // namespace sockgate

#endif  // SOCKGATE_PROTO_HANDOVER_H_
