// WorkerRecord: what the broker keeps of one worker, whose channels all share it.
//
// Process: broker, the loop's thread. Lives as long as the worker has a channel,
// or replies of one that it has not read.

#ifndef SOCKGATE_BROKER_WORKER_RECORD_H_
#define SOCKGATE_BROKER_WORKER_RECORD_H_

#include <sys/types.h>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "broker/backlog.h"
#include "broker/confined_check.h"
#include "broker/name_book.h"
#include "broker/peer_check.h"
#include "broker/policy/role.h"
#include "broker/rate_limit.h"
#include "broker/role_metrics.h"
#include "broker/role_usage.h"

namespace sockgate {

// Who made the channel. From SO_PEERCRED, which names the process that called connect(2) or
// socketpair(2), not the one that holds the descriptor now (unix(7)); so it is for the audit line,
// and decides nothing but who may come in by a path and stay.
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
};

struct WorkerRecord : std::enable_shared_from_this<WorkerRecord> {
  static constexpr uint32_t kNoAttempt = UINT32_MAX;

  uint64_t id = 0;
  // A reload puts another in its place, between two wake-ups.
  std::shared_ptr<const Role> role;
  Peer peer;
  // Who came by a path, and would be asked again by a reload; nothing for a trusted launcher's.
  std::optional<PeerIdentity> came_as;
  // The role is for them, as far as it is known.
  bool admitted = true;
  ConfinedCheck confined;
  bool keeps_process = false;  // for that, a descriptor
  NameBook names;
  RateLimit rate;  // of connects
  RateLimit lookup_rate;
  // Of the role, by its name, which a worker keeps; the server's and the broker's.
  RoleMetrics* metrics = nullptr;
  RoleUsage* usage = nullptr;
  uint32_t channels = 0;
  uint32_t lingering = 0;  // channels that are over (lingering_channels.h)
  // The wake-up of its last turn, and its channels in the backlog.
  uint64_t last_turn = 0;
  std::list<Queued*> queued;
  QueuePlace<WorkerRecord> place{this};
  // Tracked ones that are open, and handshakes that go on and will be tracked.
  uint32_t connections = 0;
  // Sockets in replies that wait for room in a channel.
  uint32_t waiting = 0;
  // Lookups that wait for a name server, and questions that nobody waits for any more but that this
  // worker has caused.
  uint32_t lookups = 0;
  // The connector's: handshakes that are not finished, as a list through its table.
  uint32_t pending = 0;
  uint32_t first_pending = kNoAttempt;

  // Whether it has shown all that its role asks of a process.
  Confined ShowsConfinement(TimePoint now, LookBudget* looks) {
    return role->require_confined ? confined.Ask(now, looks) : Confined::kYes;
  }
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_WORKER_RECORD_H_
