// CapabilitiesFor: what a broker has to hold for the socket options of its roles, and no more.
//
// Process: broker, before it confines itself and at each reload. CapabilitiesFor is pure; AskKernel
// reads two short files and tries one option.
//
// | option               | needs                                                                  |
// |----------------------|------------------------------------------------------------------------|
// | `mark`               | CAP_NET_RAW; before Linux 5.17 CAP_NET_ADMIN                           |
// | `congestion_control` | CAP_NET_ADMIN, if it is neither the host's default nor in              |
// |                      | net.ipv4.tcp_allowed_congestion_control; else nothing                  |
// | all others           | nothing: `interface` since Linux 5.7, on a socket that has none yet    |
//
// Sources: socket(7), tcp(7); sk_setsockopt() in net/core/sock.c, tcp_set_congestion_control() in
// net/ipv4/tcp_cong.c; commits c427bfec18f2 (5.7) and 079925cce1d0 (5.17).

#ifndef SOCKGATE_BROKER_SOCKET_CAPABILITIES_H_
#define SOCKGATE_BROKER_SOCKET_CAPABILITIES_H_

#include <string>
#include <vector>

#include "broker/policy/role.h"
#include "confine/capabilities.h"

namespace sockgate {

// What this kernel grants, and this host's administrator.
struct KernelGrants {
  bool mark_by_net_raw = true;
  std::vector<std::string> congestion_controls = {};  // for everybody
};

// Tries with CAP_NET_RAW alone whether it suffices for a mark, if the thread is permitted it;
// otherwise it is believed to. What is effective is the same afterwards.
KernelGrants AskKernel();

// The names of the congestion controls as they are now.
std::vector<std::string> FreeCongestionControls();

// The least that these options need.
confine::CapabilitySet CapabilitiesFor(const SocketOptions& options, const KernelGrants& kernel);

// CAP_NET_ADMIN can do what CAP_NET_RAW can, of what is needed here. So of `needed`, by several
// roles, what one should hold who is permitted `permitted`;
confine::CapabilitySet WorthHolding(confine::CapabilitySet needed,
                                    confine::CapabilitySet permitted);
// and what of it somebody lacks who holds `held`.
confine::CapabilitySet Missing(confine::CapabilitySet needed, confine::CapabilitySet held);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_SOCKET_CAPABILITIES_H_
