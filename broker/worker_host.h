// WorkerHost: who takes workers that come by a path.
//
// Process: broker, the thread of the loop that listens.

#ifndef SOCKGATE_BROKER_WORKER_HOST_H_
#define SOCKGATE_BROKER_WORKER_HOST_H_

#include "absl/strings/string_view.h"
#include "broker/confined_check.h"
#include "broker/peer_check.h"
#include "broker/role_table.h"
#include "broker/worker_record.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate {

class WorkerHost {
 public:
  // Serves a new worker, who is among the role's peers.
  virtual void AddWorkerByPath(UniqueFd channel, RoleSnapshot role, PeerIdentity identity,
                               ConfinedCheck confined) = 0;

  // The limit that stands in the way of one more worker of the role, or kNone.
  virtual Reason WhyNoWorker(const Role& role) = 0;

  // Records that somebody who asked for a channel of the role gets none.
  virtual void RefuseWorker(RoleSnapshot role, const Peer& peer, absl::string_view why) = 0;

 protected:
  ~WorkerHost() = default;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_WORKER_HOST_H_
