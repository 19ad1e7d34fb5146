// What the resolver and the broker say to each other on the socket channel, as plain structs.
// resolver_codec.h turns them into bytes and back; RESOLVER.md is the specification.

#ifndef SOCKGATE_BROKER_RESOLVER_SOCKET_ORDERS_H_
#define SOCKGATE_BROKER_RESOLVER_SOCKET_ORDERS_H_

#include <cstdint>
#include <vector>

#include "proto/endpoint.h"
#include "proto/messages.h"

namespace sockgate {

// Resolver to broker, the first message and only that: the name servers that orders choose from.
struct ServerList {
  std::vector<Endpoint> servers;  // 1 to kMaxResolverServers, IP with a port
};

// Resolver to broker: open a socket.
struct SocketOrder {
  uint32_t id = 0;     // so that the reply to an order that was given up is not taken for another's
  uint8_t server = 0;  // index in the list
  Transport transport = Transport::kDatagram;
};

// Broker to resolver: one for each order, in their order. With the descriptor when error is 0.
struct SocketReply {
  uint32_t id = 0;
  uint32_t error = 0;  // errno
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_SOCKET_ORDERS_H_
