// The kinds of socket that a getaddrinfo(3) call is about: what its hints and its service leave of
// the types and protocols there are.
//
// Process: worker. Pure. The order, the choice and the error codes are glibc's, apart from a port
// beyond 65535: glibc lets it wrap around, here it is EAI_SERVICE.

#ifndef SOCKGATE_CLIENT_SOCKET_KINDS_H_
#define SOCKGATE_CLIENT_SOCKET_KINDS_H_

#include <netdb.h>

#include <cstdint>
#include <vector>

#include "client/service_table.h"

namespace sockgate {

struct SocketKind {
  int type;
  int protocol;
  uint16_t port;
};

// `service` may be null: port 0. Returns 0, EAI_NONAME (AI_NUMERICSERV and no number), EAI_SERVICE
// or EAI_SOCKTYPE.
int ListSocketKinds(const addrinfo& hints, const char* service, const ServiceTable& services,
                    std::vector<SocketKind>* kinds);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_SOCKET_KINDS_H_
