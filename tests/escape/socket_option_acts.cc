#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

#include "tests/escape/acts.h"
#include "tests/escape/loopback.h"

namespace sockgate::escape {
namespace {

using launch::ErrnoOf;
using launch::Exited;

// Linux, and not in every C library's headers.
constexpr int kIpTransparent = 19;
constexpr int kTcpFastOpenConnect = 30;
constexpr int kSoPeerPidfd = 77;

Act OptionAct(const char* name, int level, int option, const std::string& value) {
  return {name, Killed(), [=]() -> Attempt {
            const int fd = NewSocket(SOCK_STREAM);
            return [=] {
              return ErrnoOf(setsockopt(fd, level, option, value.data(),
                                        static_cast<socklen_t>(value.size())));
            };
          }};
}

// What libcurl tries by an option of its own, and has to go on after.
Act Softly(int refusal, Act act) {
  act.confined = Exited(refusal);
  return act;
}

Act SwitchAct(const char* name, int level, int option) {
  const int on = 1;
  return OptionAct(name, level, option, {reinterpret_cast<const char*>(&on), sizeof(on)});
}

// A layer between the connection and its reader.
Attempt UpperLayerProtocol() {
  const int fd = ConnectedTo(MakePlace(SOCK_STREAM), SOCK_STREAM);
  return [=] { return ErrnoOf(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 3)); };
}

Attempt AttachFilter() {
  const int fd = NewSocket(SOCK_STREAM);
  return [=] {
    sock_filter drop{BPF_RET | BPF_K, 0, 0, 0};
    const sock_fprog program{1, &drop};
    return ErrnoOf(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
  };
}

// An IPv6 socket with an IPv4 peer becomes one of the other family.
Attempt ChangeFamily() {
  const int fd = Must(socket(AF_INET6, SOCK_STREAM, 0));
  const Place place = MakePlace(SOCK_STREAM);
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = place.address.sin_port;
  mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
  std::memcpy(&mapped.sin6_addr.s6_addr[12], &place.address.sin_addr, 4);
  Must(connect(fd, reinterpret_cast<const sockaddr*>(&mapped), sizeof(mapped)));
  return [=] {
    const int family = AF_INET;
    return ErrnoOf(setsockopt(fd, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof(family)));
  };
}

Attempt JoinGroup() {
  const int fd = NewSocket(SOCK_DGRAM);
  return [=] {
    ip_mreq group{};
    group.imr_multiaddr.s_addr = htonl(0xe00000fb);
    group.imr_interface.s_addr = htonl(INADDR_LOOPBACK);
    return ErrnoOf(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)));
  };
}

// Maps what the connection receives into memory.
Attempt ReadByMap() {
  const int fd = ConnectedTo(MakePlace(SOCK_STREAM), SOCK_STREAM);
  return [=] {
    char room[64] = {};
    socklen_t size = sizeof(room);
    return ErrnoOf(getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, room, &size));
  };
}

// Would make a descriptor for the process at the other end.
Attempt PeerPidfd() {
  int ends[2];
  const int made = socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  const int fd = ends[0];
  return [made, fd] {
    int pidfd = -1;
    socklen_t length = sizeof(pidfd);
    return made != 0 ? -1 : ErrnoOf(getsockopt(fd, SOL_SOCKET, kSoPeerPidfd, &pidfd, &length));
  };
}

}  // namespace

std::vector<Act> SocketOptionActs() {
  return {
      {"PeerPidfd", Killed(), PeerPidfd},
      {"ChangeFamily", Killed(), ChangeFamily, true},
      {"JoinGroup", Killed(), JoinGroup},
      Privileged({"ReadByMap", Killed(), ReadByMap}),
      SwitchAct("UrgentInline", SOL_SOCKET, SO_OOBINLINE),
      SwitchAct("ReusePort", SOL_SOCKET, SO_REUSEPORT),
      SwitchAct("Broadcast", SOL_SOCKET, SO_BROADCAST),
      SwitchAct("DontRoute", SOL_SOCKET, SO_DONTROUTE),
      SwitchAct("ReceiveTimes", SOL_SOCKET, SO_TIMESTAMP),
      SwitchAct("AnySource", IPPROTO_IP, IP_FREEBIND),
      SwitchAct("ReceiveErrors", IPPROTO_IP, IP_RECVERR),
      SwitchAct("DeferAccept", IPPROTO_TCP, TCP_DEFER_ACCEPT),
      SwitchAct("UserTimeout", IPPROTO_TCP, TCP_USER_TIMEOUT),
      Softly(EPERM, Privileged(OptionAct("BindToDevice", SOL_SOCKET, SO_BINDTODEVICE, "lo"))),
      Privileged(SwitchAct("Mark", SOL_SOCKET, SO_MARK)),
      Privileged(SwitchAct("ReceiveBufferForce", SOL_SOCKET, SO_RCVBUFFORCE)),
      Privileged(SwitchAct("Debug", SOL_SOCKET, SO_DEBUG)),
      Privileged(SwitchAct("Repair", IPPROTO_TCP, TCP_REPAIR)),
      Privileged(SwitchAct("Transparent", IPPROTO_IP, kIpTransparent)),
      Privileged({"UpperLayerProtocol", Killed(), UpperLayerProtocol}),
      Privileged({"AttachFilter", Killed(), AttachFilter}),
      SwitchAct("FastOpenConnect", IPPROTO_TCP, kTcpFastOpenConnect),
      SwitchAct("ReuseAddress", SOL_SOCKET, SO_REUSEADDR),
      SwitchAct("ReceiveBuffer", SOL_SOCKET, SO_RCVBUF),
      SwitchAct("TypeOfService", IPPROTO_IP, IP_TOS),
      // The same number as TCP_NODELAY, at another level.
      SwitchAct("LevelIsLookedAt", IPPROTO_IP, TCP_NODELAY),
  };
}

}  // namespace sockgate::escape
