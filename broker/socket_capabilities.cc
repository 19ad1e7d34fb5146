#include "broker/socket_capabilities.h"

#include <linux/capability.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "proto/unique_fd.h"

namespace sockgate {
namespace {

using confine::CapabilityBit;
using confine::CapabilitySet;

constexpr CapabilitySet kRaw = CapabilityBit(CAP_NET_RAW);
constexpr CapabilitySet kAdmin = CapabilityBit(CAP_NET_ADMIN);

bool MayMark(CapabilitySet effective) {
  const CapabilitySet before = confine::EffectiveCapabilities();
  if (confine::UseCapabilities(effective) != 0) return true;
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int none = 0;
  const bool done = setsockopt(socket.get(), SOL_SOCKET, SO_MARK, &none, sizeof(none)) == 0;
  const bool refused = !done && errno == EPERM;
  return confine::UseCapabilities(before) == 0 && !refused;
}

}  // namespace

std::vector<std::string> FreeCongestionControls() {
  std::vector<std::string> names;
  for (const char* path : {"/proc/sys/net/ipv4/tcp_allowed_congestion_control",
                           "/proc/sys/net/ipv4/tcp_congestion_control"}) {
    std::ifstream file(path);
    for (std::string name; file >> name;) names.push_back(name);
  }
  return names;
}

KernelGrants AskKernel() { return {MayMark(kRaw), FreeCongestionControls()}; }

CapabilitySet CapabilitiesFor(const SocketOptions& options, const KernelGrants& kernel) {
  CapabilitySet needed = 0;
  if (options.mark.has_value()) {
    needed |= kernel.mark_by_net_raw ? kRaw : kAdmin;
  }
  const std::vector<std::string>& free = kernel.congestion_controls;
  if (!options.congestion_control.empty() &&
      std::find(free.begin(), free.end(), options.congestion_control) == free.end()) {
    needed |= kAdmin;
  }
  return WorthHolding(needed, needed);
}

CapabilitySet WorthHolding(CapabilitySet needed, CapabilitySet permitted) {
  const bool raw_is_useless = (needed & kAdmin) != 0 || (permitted & (kRaw | kAdmin)) == kAdmin;
  if ((needed & kRaw) == 0 || !raw_is_useless) return needed;
  return (needed & ~kRaw) | kAdmin;
}

CapabilitySet Missing(CapabilitySet needed, CapabilitySet held) {
  if ((held & kAdmin) != 0) needed &= ~kRaw;
  return needed & ~held;
}

}  // namespace sockgate
