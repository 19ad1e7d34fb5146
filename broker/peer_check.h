// Who connected to a path, and whether a role is for them.
//
// Process: broker, the loop's thread. Does not block. What the kernel noted at connect(2) cannot be
// forged: user, groups and process of whoever called it (unix(7), SO_PEERCRED and SO_PEERGROUPS).

#ifndef SOCKGATE_BROKER_PEER_CHECK_H_
#define SOCKGATE_BROKER_PEER_CHECK_H_

#include <sys/types.h>

#include <vector>

#include "broker/policy/role.h"

namespace sockgate {

struct PeerIdentity {
  pid_t pid = 0;  // 0: of a process that this one cannot see
  uid_t uid = static_cast<uid_t>(-1);
  gid_t gid = static_cast<gid_t>(-1);
  std::vector<gid_t> groups = {};  // the supplementary ones
};

// Of an accepted channel.
PeerIdentity IdentityOf(int channel);

// Whether the user is among those that `peers` names, or one of the groups, the main one or
// another. Root is nobody special. False where the kernel does not say who it is.
bool Admits(const Peers& peers, const PeerIdentity& peer);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_PEER_CHECK_H_
