// Role: what a worker may do. Fixed to a channel by the broker's side, never chosen by the worker.
//
// Process: broker, and the tools that read policies. Immutable once a worker has it; a reload gives
// the worker another one.

#ifndef SOCKGATE_BROKER_POLICY_ROLE_H_
#define SOCKGATE_BROKER_POLICY_ROLE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "broker/policy/policy.h"
#include "proto/ip_address.h"
#include "proto/limits.h"

namespace sockgate {

// Per worker. What is over a limit is answered Outcome::kLimited with the limit's reason.
struct Limits {
  // Requests of one channel that wait for a reply; 1 to kMaxOutstanding.
  uint16_t max_outstanding = 256;
  // Handshakes that go on, and sockets in replies that wait for room.
  uint32_t max_pending = 512;
  uint32_t max_channels = 32;
  // Lookups that wait for a name server.
  uint32_t max_lookups = 32;
  // Lookups that the broker cannot answer by itself, on average and at once; 0: as many as it
  // likes.
  uint32_t lookups_per_second = 256;
  uint32_t lookup_burst = 512;  // at least 1 when there is a rate
  // Pairs of a name and an address that it led to; when there are more the oldest goes.
  uint32_t max_leases = 4096;
  // For how long after the DNS's own time a name's address is good for connects.
  uint32_t lease_grace_ms = 60'000;
  // How long replies may wait because the worker does not read; then it loses the channel.
  uint32_t unread_patience_ms = 30'000;
  // Requests to connect that the policy lets through, on average and at once; 0: as many as it
  // likes.
  uint32_t connects_per_second = 0;
  uint32_t connect_burst = 0;  // at least 1 when there is a rate
  // What a worker's own deadline is cut to.
  uint32_t max_deadline_ms = kMaxDeadlineMs;
  // Tracked connections that are open, with handshakes that go on. Only with Role::track, as the
  // next one.
  uint32_t max_connections = 1024;
  // When such a connection is cut; 0: never.
  uint32_t max_connection_age_s = 0;
};

// Of all workers of a role together. 0: as many as they like; what is over one of these is answered
// Reason::kRoleLimit, and a worker too many is turned away.
struct RoleTotals {
  uint32_t max_workers = 0;
  uint32_t max_channels = 0;
  uint32_t max_pending = 0;  // handshakes that go on
  uint32_t max_lookups = 0;  // that wait for a name server
  uint32_t connects_per_second = 0;
  uint32_t connect_burst = 0;  // at least 1 when there is a rate
  uint32_t lookups_per_second = 0;
  uint32_t lookup_burst = 0;
};

// TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT; tcp(7).
struct Keepalive {
  uint32_t idle_s = 7200;
  uint32_t interval_s = 75;
  uint32_t probes = 9;
};

// What the broker sets on a socket before it connects it. When the kernel refuses one of them the
// request fails: a socket without its mark might leave by the wrong door.
struct SocketOptions {
  std::optional<IpAddress> source_v4;  // bind(2); the other family is left alone
  std::optional<IpAddress> source_v6;
  std::string interface;                    // SO_BINDTODEVICE
  std::optional<uint32_t> mark;             // SO_MARK; needs CAP_NET_RAW
  std::optional<uint8_t> tos;               // IP_TOS, IPV6_TCLASS
  std::optional<Keepalive> keepalive;       // TCP only, as the two below
  std::optional<uint32_t> user_timeout_ms;  // TCP_USER_TIMEOUT
  std::string congestion_control;           // TCP_CONGESTION
};

// Who may take the role by connecting to a path that gives it: any of these users, or a member of
// any of these groups. Both empty: whoever the path's mode lets in.
struct Peers {
  std::vector<uid_t> uids;
  std::vector<gid_t> gids;

  bool anyone() const { return uids.empty() && gids.empty(); }
};

// 1 to 64 letters, digits, '.', '_' and '-'.
bool IsRoleName(absl::string_view text);

struct Role {
  std::string name = {};
  Policy policy = {};
  Limits limits = {};
  RoleTotals totals = {};
  SocketOptions socket_options = {};
  Peers peers = {};
  // Nothing is decided for a worker that came by a path until its process shows a seccomp filter
  // and no_new_privs in every thread.
  bool require_confined = false;
  // The broker keeps a duplicate of each TCP connection until it ends: to count it, to log what
  // went over it, and to cut it.
  bool track = false;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_ROLE_H_
