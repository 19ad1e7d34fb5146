#include "broker/peer_check.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace sockgate {
namespace {

template <typename T>
bool Contains(const std::vector<T>& all, T one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// The first call is for the size.
std::vector<gid_t> GroupsOf(int channel) {
  socklen_t bytes = 0;
  if (getsockopt(channel, SOL_SOCKET, SO_PEERGROUPS, nullptr, &bytes) == 0 || errno != ERANGE) {
    return {};
  }
  std::vector<gid_t> groups(bytes / sizeof(gid_t));
  if (getsockopt(channel, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) != 0) return {};
  return groups;
}

}  // namespace

PeerIdentity IdentityOf(int channel) {
  ucred credentials = {};
  socklen_t length = sizeof(credentials);
  if (getsockopt(channel, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return {};
  return {credentials.pid, credentials.uid, credentials.gid, GroupsOf(channel)};
}

bool Admits(const Peers& peers, const PeerIdentity& peer) {
  if (peers.anyone() || Contains(peers.uids, peer.uid)) return true;
  if (Contains(peers.gids, peer.gid)) return true;
  return std::any_of(peer.groups.begin(), peer.groups.end(),
                     [&](gid_t group) { return Contains(peers.gids, group); });
}

}  // namespace sockgate
