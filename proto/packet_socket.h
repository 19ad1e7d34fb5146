// Packet sockets: one SOCK_SEQPACKET message with at most one descriptor, sent or received.
//
// The one pair of functions in sockgate through which descriptors travel. What can go wrong with
// SCM_RIGHTS (unix(7), cmsg(3)) is dealt with here and shows up as a status:
//  - every descriptor arrives with close-on-exec set;
//  - a control buffer of CMSG_SPACE(sizeof(int)) holds two descriptors on 64-bit: surplus ones are
//    closed;
//  - a receiver that wants none offers no control buffer, so that the kernel never installs one;
//  - a zero-length packet may carry descriptors and otherwise looks like the end of the stream;
//  - a full descriptor table shows as MSG_CTRUNC without a descriptor;
//  - descriptors in flight are limited per user (ETOOMANYREFS), which passes.
//
// Process: any.
// Threads: as the descriptor; two threads must not receive on one socket at once.
// Blocking: as each function says. Never raises SIGPIPE, survives EINTR, throws nothing, allocates
// nothing.

#ifndef SOCKGATE_PROTO_PACKET_SOCKET_H_
#define SOCKGATE_PROTO_PACKET_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "proto/unique_fd.h"

namespace sockgate {

enum class PacketStatus {
  kOk,
  kWouldBlock,   // nothing to receive or no room to send, until the socket's timeout or a signal
  kClosed,       // the other side has gone
  kDescriptors,  // received: descriptors where none or fewer were expected; all are closed
  kTableFull,    // received: a descriptor came, but this process has no number left for it
  kTruncated,    // received: the packet is longer than the buffer
  kInFlight,     // sending: too many descriptors of this user are in flight; try again later
  kError,        // anything else; `error` has the errno
};

struct Received {
  PacketStatus status = PacketStatus::kError;
  size_t size = 0;  // bytes of the packet; set for kOk, kDescriptors and kTableFull
  UniqueFd fd;      // set only for kOk, and only when a descriptor came
  int error = 0;
};

// Whether a descriptor may come with the packet.
enum class Accept { kNoDescriptor, kOneDescriptor };

// Whether to wait: kYes waits as long as the socket's SO_RCVTIMEO or SO_SNDTIMEO says.
enum class Wait { kNo, kYes };

Received ReceivePacket(int socket, absl::Span<uint8_t> buffer, Accept accept, Wait wait);

struct Sent {
  PacketStatus status = PacketStatus::kError;
  int error = 0;
};

// `descriptor` is the one to pass, which the caller keeps, or -1. Without one the call is send(2),
// which a worker's seccomp filter can tell from a send to an address of the worker's choice.
Sent SendPacket(int socket, absl::Span<const uint8_t> packet, int descriptor, Wait wait);

// The two ends of a channel, both close-on-exec.
struct ChannelPair {
  UniqueFd broker;  // refuses descriptors where the kernel can (SO_PASSRIGHTS, Linux 6.16)
  UniqueFd worker;  // prepared by PrepareWorkerEnd()
};

// Nothing, with errno set, when the process or the system has no descriptors left.
std::optional<ChannelPair> MakeChannelPair();

// Settings of either end, for a channel that was made by connect(2) and accept(2). Both are best
// effort where the kernel lacks an option; PrepareWorkerEnd() returns false, with errno set, if the
// receive timeout that bounds a worker's waiting cannot be set.
void PrepareBrokerEnd(int socket);
bool PrepareWorkerEnd(int socket);

}  // namespace sockgate

#endif  // SOCKGATE_PROTO_PACKET_SOCKET_H_
