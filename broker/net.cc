#include "broker/net.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "broker/socket_options.h"
#include "broker/unix_path.h"

namespace sockgate {
namespace {

// The SYN counts as an acknowledged byte, so a handshake that ended well leaves at least one.
bool EverConnected(int socket) {
  tcp_info info = {};
  socklen_t length = sizeof(info);
  return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
         info.tcpi_bytes_acked > 0;
}

}  // namespace

int KernelNet::Open(const Endpoint& endpoint, Transport transport, const SocketOptions& options,
                    UniqueFd* socket) {
  const int type = transport == Transport::kStream ? SOCK_STREAM : SOCK_DGRAM;
  socket->Reset(::socket(endpoint.address_family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket->valid()) return errno;
  const int error = ApplySocketOptions(socket->get(), endpoint, transport, options);
  if (error != 0) socket->Reset();
  return error;
}

int KernelNet::Connect(int socket, const Endpoint& endpoint) {
  if (!endpoint.is_ip()) return ConnectUnixPath(socket, endpoint);
  sockaddr_storage address;
  const socklen_t length = endpoint.ToSockaddr(&address);
  return connect(socket, reinterpret_cast<sockaddr*>(&address), length) == 0 ? 0 : errno;
}

Handshake KernelNet::Look(int socket) {
  pollfd entry = {socket, POLLOUT, 0};
  if (poll(&entry, 1, 0) <= 0) return Handshake::kGoingOn;
  if ((entry.revents & (POLLERR | POLLHUP)) == 0) return Handshake::kDone;
  return EverConnected(socket) ? Handshake::kOver : Handshake::kFailed;
}

void KernelNet::GiveUp(int socket) { shutdown(socket, SHUT_RDWR); }

}  // namespace sockgate
