#include <errno.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

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
