#include "broker/net.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace sockgate {

int KernelNet::OpenStream(const Endpoint& endpoint, UniqueFd* socket) {
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  socket->Reset(::socket(endpoint.address_family(), type, 0));
  return socket->valid() ? 0 : errno;
}

int KernelNet::Connect(int socket, const Endpoint& endpoint) {
  sockaddr_storage address;
  const socklen_t length = endpoint.ToSockaddr(&address);
  return connect(socket, reinterpret_cast<sockaddr*>(&address), length) == 0 ? 0 : errno;
}

Handshake KernelNet::Look(int socket) {
  pollfd entry = {socket, POLLOUT, 0};
  if (poll(&entry, 1, 0) <= 0) return Handshake::kGoingOn;
  if ((entry.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return Handshake::kFailed;
  return Handshake::kDone;
}

void KernelNet::GiveUp(int socket) { shutdown(socket, SHUT_RDWR); }

}  // namespace sockgate
