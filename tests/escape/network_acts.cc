#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <cstdint>
#include <cstring>

#include "tests/escape/acts.h"
#include "tests/escape/loopback.h"

namespace sockgate::escape {
namespace {

using launch::ErrnoOf;
using launch::Exited;

Act NewSocketAct(const char* name, int family, int type, int protocol) {
  return Call(name, EACCES, SYS_socket, family, type, protocol);
}

Act SocketPairAct(const char* name, int family, int type) {
  return {name, Killed(), [=]() -> Attempt {
            return [=] {
              int pair[2];
              return ErrnoOf(socketpair(family, type, 0, pair));
            };
          }};
}

// connect(AF_UNSPEC) dissolves a TCP connection, and the next connect goes anywhere.
Attempt ReaimByUnspec() {
  const Place agreed = MakePlace(SOCK_STREAM);
  const Place other = MakePlace(SOCK_STREAM);
  const int fd = ConnectedTo(agreed, SOCK_STREAM);
  return [=] {
    const sockaddr unspec{};
    if (connect(fd, &unspec, sizeof(unspec)) != 0 && errno != EINPROGRESS) return errno;
    const int error = ErrnoOf(Connect(fd, other.address));
    return IsPeer(fd, agreed.address) ? error : 0;
  };
}

Attempt ConnectAFreshSocket() {
  const Place other = MakePlace(SOCK_STREAM);
  const int fd = NewSocket(SOCK_STREAM);
  return [=] {
    const int error = ErrnoOf(Connect(fd, other.address));
    return IsPeer(fd, other.address) ? 0 : error;
  };
}

Attempt ConnectAUnixSocket() {
  sockaddr_un address{AF_UNIX, {}};
  const int listener = Must(socket(AF_UNIX, SOCK_STREAM, 0));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  Must(bind(listener, generic, sizeof(address.sun_family)));
  socklen_t size = sizeof(address);
  Must(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size));
  Must(listen(listener, 1));
  const int fd = Must(socket(AF_UNIX, SOCK_STREAM, 0));
  return [=] { return ErrnoOf(connect(fd, reinterpret_cast<const sockaddr*>(&address), size)); };
}

int SendTo(int fd, int flags, const sockaddr_in& to) {
  const auto* generic = reinterpret_cast<const sockaddr*>(&to);
  return ErrnoOf(sendto(fd, "x", 1, flags | MSG_NOSIGNAL, generic, sizeof(to)));
}

// A socket that was handed over while connecting, and was refused, can be sent on its way
// again: the first attempt makes the kernel notice the end of the old connection, the second
// starts a new one.
Attempt FastOpenAfterRefusal() {
  const Place other = MakePlace(SOCK_STREAM);
  const int fd = NewSocket(SOCK_STREAM | SOCK_NONBLOCK);
  if (Connect(fd, DeadPort()) == 0 || errno != EINPROGRESS) Must(-1);
  pollfd refused{fd, POLLOUT, 0};
  Must(poll(&refused, 1, 1000));
  return [=] {
    SendTo(fd, MSG_FASTOPEN, other.address);
    const int error = SendTo(fd, MSG_FASTOPEN, other.address);
    return IsReached(other) ? 0 : error;
  };
}

// The same for one whose connection stood, and was reset before the broker could finalise it.
Attempt FastOpenAfterReset() {
  const Place other = MakePlace(SOCK_STREAM);
  const Place agreed = MakePlace(SOCK_STREAM);
  const int fd = NewSocket(SOCK_STREAM | SOCK_NONBLOCK);
  if (Connect(fd, agreed.address) == 0 || errno != EINPROGRESS) Must(-1);
  const int peer = Must(accept(agreed.fd, nullptr, nullptr));
  const linger reset{1, 0};
  Must(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)));
  close(peer);
  pollfd over{fd, POLLIN, 0};
  Must(poll(&over, 1, 1000));
  return [=] {
    SendTo(fd, MSG_FASTOPEN, other.address);
    const int error = SendTo(fd, MSG_FASTOPEN, other.address);
    return IsReached(other) ? 0 : error;
  };
}

Attempt FastOpenAFreshSocket() {
  const Place other = MakePlace(SOCK_STREAM);
  const int fd = NewSocket(SOCK_STREAM);
  return [=] {
    const int error = SendTo(fd, MSG_FASTOPEN, other.address);
    return IsReached(other) ? 0 : error;
  };
}

Attempt SendToElsewhere() {
  const Place other = MakePlace(SOCK_DGRAM);
  const int fd = ConnectedTo(MakePlace(SOCK_DGRAM), SOCK_DGRAM);
  return [=] {
    const int error = SendTo(fd, 0, other.address);
    return IsReached(other) ? 0 : error;
  };
}

// One datagram to another place than the socket is connected to, by sendmsg or sendmmsg.
Attempt SendMessageElsewhere(int64_t number) {
  const Place other = MakePlace(SOCK_DGRAM);
  const int fd = ConnectedTo(MakePlace(SOCK_DGRAM), SOCK_DGRAM);
  return [=] {
    sockaddr_in to = other.address;
    char byte = 'x';
    iovec part{&byte, 1};
    mmsghdr message{};
    message.msg_hdr.msg_name = &to;
    message.msg_hdr.msg_namelen = sizeof(to);
    message.msg_hdr.msg_iov = &part;
    message.msg_hdr.msg_iovlen = 1;
    const int64_t sent = number == SYS_sendmmsg ? syscall(number, fd, &message, 1, 0)
                                                : syscall(number, fd, &message.msg_hdr, 0);
    const int error = ErrnoOf(sent);
    return IsReached(other) ? 0 : error;
  };
}

// Hands a descriptor of the worker's to somebody else.
Attempt PassADescriptor() {
  int pair[2];
  Must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  return [fd = pair[0]] {
    char byte = 'x';
    iovec part{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{nullptr, 0, &part, 1, control, sizeof(control), 0};
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    return ErrnoOf(sendmsg(fd, &message, 0));
  };
}

Attempt Bind() {
  const int fd = NewSocket(SOCK_STREAM);
  return [=] {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ErrnoOf(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
  };
}

Attempt Listen() {
  const int fd = NewSocket(SOCK_STREAM);
  return [=] { return ErrnoOf(listen(fd, 1)); };
}

Attempt Accept(int64_t number) {
  const Place place = MakePlace(SOCK_STREAM);
  ConnectedTo(place, SOCK_STREAM);
  return [=] { return ErrnoOf(syscall(number, place.fd, nullptr, nullptr, 0)); };
}

#if defined(__x86_64__)
// socket(AF_INET, SOCK_STREAM, 0) through the 32-bit entry, where numbers mean other calls.
Attempt SocketThroughInt80() {
  void* low =
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (low == MAP_FAILED) Must(-1);
  const uint32_t arguments[] = {AF_INET, SOCK_STREAM, 0};
  std::memcpy(low, arguments, sizeof(arguments));
  return [low] {
    constexpr int64_t kSocketcall32 = 102;
    constexpr int64_t kSocket = 1;
    int64_t result = kSocketcall32;
    asm volatile("int $0x80"
                 : "+a"(result)
                 : "b"(kSocket), "c"(low)
                 : "memory", "cc", "r8", "r9", "r10", "r11");
    const auto answer = static_cast<int32_t>(result);
    return answer < 0 ? -answer : 0;
  };
}
#endif

}  // namespace

std::vector<Act> NetworkActs() {
  return {
    NewSocketAct("SocketTcp", AF_INET, SOCK_STREAM, 0),
        NewSocketAct("SocketUdp", AF_INET, SOCK_DGRAM, 0),
        Privileged(NewSocketAct("SocketTcp6", AF_INET6, SOCK_STREAM, 0)),
        NewSocketAct("SocketUnix", AF_UNIX, SOCK_STREAM, 0),
        NewSocketAct("SocketNetlink", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
        Privileged(NewSocketAct("SocketPacket", AF_PACKET, SOCK_RAW, 0)),
        Privileged(NewSocketAct("SocketRaw", AF_INET, SOCK_RAW, IPPROTO_ICMP)),
        Privileged(NewSocketAct("SocketAlg", AF_ALG, SOCK_SEQPACKET, 0)),
        Privileged(NewSocketAct("SocketVsock", AF_VSOCK, SOCK_STREAM, 0)),
        Privileged(NewSocketAct("SocketBluetooth", AF_BLUETOOTH, SOCK_RAW, 1)),
        Privileged(NewSocketAct("SocketCan", AF_CAN, SOCK_RAW, 1)),
        Privileged(NewSocketAct("SocketXdp", AF_XDP, SOCK_RAW, 0)),
        Privileged(NewSocketAct("SocketTipc", AF_TIPC, SOCK_STREAM, 0)),
        Privileged(NewSocketAct("SocketSmc", AF_SMC, SOCK_STREAM, 0)),
        Privileged(NewSocketAct("SocketMptcp", AF_INET, SOCK_STREAM, 262)),
        Privileged(NewSocketAct("SocketSctp", AF_INET, SOCK_STREAM, IPPROTO_SCTP)),
        NewSocketAct("SocketKernelEvents", AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT),
        SocketPairAct("PairOfDatagrams", AF_UNIX, SOCK_DGRAM),
        SocketPairAct("PairOfPackets", AF_UNIX, SOCK_SEQPACKET),
        Privileged(SocketPairAct("PairOfAnotherFamily", AF_TIPC, SOCK_STREAM)),
        {"ReaimByUnspec", Exited(EINPROGRESS), ReaimByUnspec},
        {"ConnectAFreshSocket", Exited(EINPROGRESS), ConnectAFreshSocket},
        {"ConnectAUnixSocket", Exited(EINPROGRESS), ConnectAUnixSocket},
        {"FastOpenAfterRefusal", Killed(), FastOpenAfterRefusal},
        {"FastOpenAfterReset", Killed(), FastOpenAfterReset},
        {"FastOpenAFreshSocket", Killed(), FastOpenAFreshSocket},
        {"SendToElsewhere", Killed(), SendToElsewhere},
        {"SendmsgElsewhere", Killed(), [] { return SendMessageElsewhere(SYS_sendmsg); }},
        {"SendmmsgElsewhere", Killed(), [] { return SendMessageElsewhere(SYS_sendmmsg); }},
        {"PassADescriptor", Killed(), PassADescriptor}, {"Bind", Exited(EINVAL), Bind},
        {"Listen", Killed(), Listen}, {"Accept", Killed(), [] { return Accept(SYS_accept); }},
        {"Accept4", Killed(), [] { return Accept(SYS_accept4); }},
#if defined(__x86_64__)
        Foreign({"SocketThroughInt80", Killed(), SocketThroughInt80}),
        Foreign({"SocketThroughX32", Killed(),
                 Call("", 0, 0x40000000L | SYS_socket, AF_INET, SOCK_STREAM, 0).arrange}),
#endif
  };
}

}  // namespace sockgate::escape
