// SocketServer: opens the resolver's sockets, towards the configured name servers and nowhere else.
//
// Process: broker, so that the resolver needs no socket(2) and no connect(2).
// Ownership: owns the broker's end of the socket channel.
// Threads: one. No call blocks: UDP connects at once, TCP begins to.
// Hostile inputs: everything but the first message. That one is the list of name servers, which a
// resolver sends before it is confined and has seen the first answer; it is fixed from then on. The
// resolver chooses among them by number.
// Failure: what no honest resolver does (an unknown server, another list, garbage, a flood, not
// reading replies) is an error of Serve(): close the object and have the resolver killed.

#ifndef SOCKGATE_BROKER_RESOLVER_SOCKET_SERVER_H_
#define SOCKGATE_BROKER_RESOLVER_SOCKET_SERVER_H_

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "broker/resolver/order_rate.h"
#include "broker/resolver/socket_orders.h"
#include "proto/endpoint.h"
#include "proto/unique_fd.h"

namespace sockgate {

// Beyond kMaxSocketsPerSecond a resolver is told EAGAIN; beyond four times as many orders it is a
// flood.
class SocketServer {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `channel` is ResolverChannels::sockets.
  explicit SocketServer(UniqueFd channel) : channel_(std::move(channel)) {}

  // To be watched for reading, level-triggered.
  int descriptor() const { return channel_.get(); }

  // Call when the descriptor is readable: answers some of the orders that wait. Unavailable: the
  // resolver has ended. InvalidArgument: it misbehaves. Either way the object is of no more use.
  absl::Status Serve(TimePoint now);

  // Empty until the resolver has said them.
  const std::vector<Endpoint>& servers() const { return servers_; }

 private:
  absl::Status OnPacket(absl::Span<const uint8_t> packet, TimePoint now);
  absl::Status OnOrder(const SocketOrder& order, TimePoint now);

  UniqueFd channel_;
  std::vector<Endpoint> servers_;
  OrderRate rate_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_SOCKET_SERVER_H_
