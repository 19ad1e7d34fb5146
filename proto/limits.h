// Every bound of the wire protocol and of the two parties that speak it, in one place.
//
// A bound that only one broker uses and that an operator may tune is a member of Role
// (broker/policy/role.h), not a constant here.

#ifndef SOCKGATE_PROTO_LIMITS_H_
#define SOCKGATE_PROTO_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace sockgate {

// The protocol versions that this build speaks. PROTOCOL.md, "Hello".
inline constexpr uint16_t kOldestVersion = 1;
inline constexpr uint16_t kNewestVersion = 1;

// The longest packet either side may send. A longer one is truncated by the kernel and refused.
inline constexpr size_t kMaxPacketBytes = 1024;

// Every message begins with type, reserved bytes and request id.
inline constexpr size_t kHeaderBytes = 8;

// A DNS name in presentation form, without the trailing dot. RFC 1035, section 2.3.4.
inline constexpr size_t kMaxNameBytes = 253;

// sizeof(sockaddr_un::sun_path), unix(7). A pathname needs one byte of it for its NUL.
inline constexpr size_t kMaxUnixPathBytes = 108;

// Addresses per family in one resolve reply.
inline constexpr size_t kMaxAddressesPerFamily = 16;

// The longest that a worker may ask the broker to spend on one request, in milliseconds. Longer
// than the two minutes and seven seconds for which Linux repeats a SYN (tcp_syn_retries = 6).
inline constexpr uint32_t kMaxDeadlineMs = 150'000;

// The longest that a lookup takes, in milliseconds: then the broker says "try again".
inline constexpr uint32_t kMaxLookupMs = 30'000;

// Requests of one channel that may wait for their reply at the same time. The broker says its own
// number in the hello reply; no broker says more than this.
inline constexpr uint16_t kMaxOutstanding = 1024;

// How often a worker that waits for a reply wakes up to look at its deadline, in milliseconds. The
// socket's own receive timeout does it, so the usual case costs no poll(2).
inline constexpr uint32_t kDeadlineTickMs = 100;

// The broker's send buffer for one channel, in bytes as SO_SNDBUF counts (the kernel doubles it,
// and charges a small packet 768): some ten replies may wait unread in the kernel, the others in
// the broker. It is this small because descriptors in unread replies are in flight, and of those
// all channels of the broker's user together may have as many as one process may have open.
inline constexpr int kUnreadReplyBytes = 4 * 1024;

}  // namespace sockgate

#endif  // SOCKGATE_PROTO_LIMITS_H_
