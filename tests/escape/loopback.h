// Sockets on 127.0.0.1 for acts and tests. A call that fails ends the process with kNotArranged.

#ifndef SOCKGATE_TESTS_ESCAPE_LOOPBACK_H_
#define SOCKGATE_TESTS_ESCAPE_LOOPBACK_H_

#include <netinet/in.h>

namespace sockgate::escape {

// A socket of this type on a port of its own, and its address. Stream sockets listen.
struct Place {
  int fd;
  sockaddr_in address;
};
Place MakePlace(int type);

// A port that nobody listens on, just freed.
sockaddr_in DeadPort();

int NewSocket(int type);
int ConnectedTo(const Place& place, int type);

// connect, without the cast.
int Connect(int fd, const sockaddr_in& address);

// Whether `fd` is connected to exactly this place.
bool IsPeer(int fd, const sockaddr_in& address);

// Whether somebody has come to, or sent to, this place. Waits a little.
bool IsReached(const Place& place);

}  // namespace sockgate::escape

#endif  // SOCKGATE_TESTS_ESCAPE_LOOPBACK_H_
