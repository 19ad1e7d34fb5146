// What worker and broker say to each other, as plain structs. codec.h alone turns them into bytes
// and back; PROTOCOL.md is the specification.
//
// Process: any. No message owns memory or a descriptor: a descriptor travels beside its message
// (packet_socket.h), and a name is a view into the buffer that the message was decoded from. Every
// enumerator's number is its number on the wire; 0 is never valid, so a zeroed message is refused.

#ifndef SOCKGATE_PROTO_MESSAGES_H_
#define SOCKGATE_PROTO_MESSAGES_H_

#include <array>
#include <cstdint>
#include <variant>

#include "absl/strings/string_view.h"
#include "proto/endpoint.h"
#include "proto/ip_address.h"
#include "proto/limits.h"

namespace sockgate {

enum class Transport : uint8_t {
  kStream = 1,    // TCP, or a UNIX stream socket
  kDatagram = 2,  // UDP, or a UNIX datagram socket
};

enum class ConnectMode : uint8_t {
  kConnected = 1,   // reply when the outcome of the handshake is known
  kInProgress = 2,  // reply as soon as the handshake has begun
};

// Why the worker wants a socket; for the audit line only, since the worker may lie.
enum class Purpose : uint8_t {
  kTransfer = 1,  // libcurl asked, CURLSOCKTYPE_IPCXN
  kDirect = 2,    // the program asked the broker itself
};

enum class NameFamily : uint8_t { kAny = 1, kIpv4 = 2, kIpv6 = 3 };

enum class Outcome : uint8_t {
  kConnected = 1,   // with the descriptor of a socket whose handshake is done
  kStarted = 2,     // with the descriptor of a socket whose handshake goes on, or has just failed
  kOpened = 3,      // with the descriptor of a new channel
  kResolved = 4,    // with addresses
  kDenied = 5,      // the policy refuses; `reason`, and `rule` if one decided
  kFailed = 6,      // the policy allows, the system or the network does not; `error`
  kLimited = 7,     // over a limit; `reason` says which, `retry_after_ms` when to ask again
  kBadRequest = 8,  // well formed, but it asks for what cannot be; `reason`
};

enum class Reason : uint8_t {
  kNone = 0,
  // denied
  kNoRuleMatches = 1,  // nothing allows it, so the default holds
  kDenyRule = 2,       // a deny rule covers it
  kTransport = 3,      // no rule names this transport for this place
  // bad request
  kPortZero = 4,
  // limited
  kOutstanding = 5,  // requests waiting for a reply on this channel
  kPending = 6,      // handshakes of this worker that are not finished
  kChannels = 7,     // channels of this worker
  kAuditLog = 8,     // lines of the broker's audit log that could not be written yet
  kDescriptors = 9,  // descriptors of the broker
  // denied
  kUnspecified = 10,      // 0.0.0.0 or ::, which the kernel takes for loopback
  kSpecialPurpose = 11,   // not a public address, and no rule names its range
  kEmbeddedAddress = 12,  // an IPv4 address that the IPv6 one stands for may not be reached
  kOwnAddress = 13,       // of the broker's host, or a path where the broker listens
  kRoleRemoved = 14,      // the policy has no such role any more
  kNotConfined = 15,      // the role is for processes with a seccomp filter only
  // limited
  kRate = 16,     // connects of this worker in a second
  kLookups = 17,  // lookups of this worker, or of all, that wait for a name server
  // bad request
  kBadName = 18,  // what is to be resolved is no name
  // limited
  kConnections = 19,  // tracked connections of this worker that are open
  kRoleLimit = 20,    // what all workers of the role may have together
  kStopping = 21,     // the broker finishes what it has begun, and ends
  kMemory = 22,       // memory of the broker
};

inline constexpr Reason kLastReason = Reason::kMemory;

// Bits of Hello::capabilities and HelloReply::capabilities.
inline constexpr uint32_t kCapabilityResolve = 1U << 0;  // the broker answers Resolve

// Requests, worker to broker.

struct Hello {
  uint16_t oldest_version = kOldestVersion;
  uint16_t newest_version = kNewestVersion;
  uint32_t capabilities = 0;  // what the worker would use
};

struct ConnectRequest {
  Transport transport = Transport::kStream;
  ConnectMode mode = ConnectMode::kConnected;
  Purpose purpose = Purpose::kTransfer;
  uint32_t deadline_ms = 0;  // 1 to kMaxDeadlineMs, counted from the broker's receipt
  Endpoint endpoint;
};

struct ResolveRequest {
  NameFamily family = NameFamily::kAny;
  absl::string_view name;  // 1 to kMaxNameBytes bytes
};

// Asks for one more channel of the same worker. It needs no hello and has the worker's role.
struct OpenChannelRequest {};

struct Request {
  uint32_t id = 0;
  std::variant<Hello, ConnectRequest, ResolveRequest, OpenChannelRequest> body;
};

// Replies, broker to worker.

struct Result {
  Outcome outcome = Outcome::kFailed;
  Reason reason = Reason::kNone;
  uint32_t rule = 0;            // the policy's number of the deciding rule, 0 when none decided
  uint32_t error = 0;           // errno, non-zero exactly when outcome is kFailed
  uint32_t retry_after_ms = 0;  // non-zero exactly when outcome is kLimited
};

struct HelloReply {
  uint16_t version = 0;          // the one that this channel speaks from now on; 0: none in common
  uint32_t capabilities = 0;     // what the broker grants of what was asked for
  uint16_t max_outstanding = 0;  // requests that may wait for a reply at the same time
};

struct ConnectReply {
  Result result;
  // The broker holds a duplicate for as long as the connection lasts, so close(2) alone does not
  // end it: shutdown(2) first. Only with a descriptor.
  bool tracked = false;
};

struct ResolveReply {
  Result result;
  uint32_t ttl_seconds = 0;
  uint8_t v4_count = 0;  // at most kMaxAddressesPerFamily
  uint8_t v6_count = 0;
  std::array<IpAddress, kMaxAddressesPerFamily> v4 = {};
  std::array<IpAddress, kMaxAddressesPerFamily> v6 = {};
  absl::string_view canonical_name;  // empty, or at most kMaxNameBytes bytes
};

struct OpenChannelReply {
  Result result;
};

struct Reply {
  uint32_t id = 0;  // that of the request
  std::variant<HelloReply, ConnectReply, ResolveReply, OpenChannelReply> body;
};

// Whether a reply with this outcome comes with a descriptor.
constexpr bool CarriesDescriptor(Outcome outcome) {
  return outcome == Outcome::kConnected || outcome == Outcome::kStarted ||
         outcome == Outcome::kOpened;
}

// Short lower-case words, the same in audit lines, error texts and the documentation.
absl::string_view Word(Transport transport);
absl::string_view Word(ConnectMode mode);
absl::string_view Word(Purpose purpose);
absl::string_view Word(NameFamily family);
absl::string_view Word(Outcome outcome);
absl::string_view Word(Reason reason);

}  // namespace sockgate

#endif  // SOCKGATE_PROTO_MESSAGES_H_
