// OrderedSockets: gives c-ares the sockets that the broker opens.
//
// Process: resolver. c-ares is told to make, connect, use and close sockets through this object
// only, so the resolver needs neither socket(2) nor connect(2): where c-ares wants a socket it gets
// a stand-in, and when it connects that, the broker's socket takes the stand-in's number.
// Ownership: refers to the socket channel, which outlives it. c-ares owns the sockets.
// Threads: one. An order waits for the broker, who answers within its next turn; at most a second.
// Hostile inputs: none, the broker is trusted.
// Failure: a socket that cannot be had is an errno for c-ares, which goes on to the next server.
// Without a broker there is nothing left to do: the process ends.

#ifndef SOCKGATE_BROKER_RESOLVER_ORDERED_SOCKETS_H_
#define SOCKGATE_BROKER_RESOLVER_ORDERED_SOCKETS_H_

#include <sys/socket.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "broker/resolver/order_rate.h"
#include "broker/resolver/socket_orders.h"
#include "proto/endpoint.h"
#include "proto/unique_fd.h"

namespace sockgate {

class OrderedSockets {
 public:
  // `servers` as the broker was told.
  OrderedSockets(int channel, std::vector<Endpoint> servers);

  // What c-ares asks for; as the system calls, with errno. `type` is SOCK_STREAM or SOCK_DGRAM.
  int Open(int type);
  int Connect(int fd, const sockaddr* address, socklen_t length);

 private:
  int Order(const SocketOrder& order, UniqueFd* opened);
  int AwaitReply(uint32_t id, UniqueFd* opened);

  const int channel_;
  const std::vector<Endpoint> servers_;
  UniqueFd stand_in_;
  // c-ares connects each socket as soon as it has it, so only the last one matters.
  int last_opened_ = -1;
  int last_type_ = 0;
  uint32_t last_id_ = 0;
  OrderRate rate_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_ORDERED_SOCKETS_H_
