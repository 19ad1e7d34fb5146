#include "tests/escape/loopback.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/escape/act.h"

namespace sockgate::escape {
namespace {

const sockaddr* Generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

int NewSocket(int type) { return Must(socket(AF_INET, type, 0)); }

Place MakePlace(int type) {
  Place place{NewSocket(type), {}};
  place.address.sin_family = AF_INET;
  place.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Must(bind(place.fd, Generic(place.address), sizeof(place.address)));
  if (type == SOCK_STREAM) Must(listen(place.fd, 16));
  socklen_t size = sizeof(place.address);
  Must(getsockname(place.fd, reinterpret_cast<sockaddr*>(&place.address), &size));
  return place;
}

sockaddr_in DeadPort() {
  const Place place = MakePlace(SOCK_STREAM);
  close(place.fd);
  return place.address;
}

int Connect(int fd, const sockaddr_in& address) {
  return connect(fd, Generic(address), sizeof(address));
}

int ConnectedTo(const Place& place, int type) {
  const int fd = NewSocket(type);
  Must(Connect(fd, place.address));
  return fd;
}

bool IsPeer(int fd, const sockaddr_in& address) {
  sockaddr_in peer{};
  socklen_t size = sizeof(peer);
  return getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
         peer.sin_port == address.sin_port;
}

bool IsReached(const Place& place) {
  pollfd one{place.fd, POLLIN, 0};
  return poll(&one, 1, 200) == 1;
}

}  // namespace sockgate::escape
