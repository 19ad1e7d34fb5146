// Net: the few things that the broker asks of the operating system to reach the network.
//
// Process: broker. The one place where sockets towards the network are made, so also where a test
// can make them fail. Errors are errno values, 0 for none; no call blocks.

#ifndef SOCKGATE_BROKER_NET_H_
#define SOCKGATE_BROKER_NET_H_

#include "broker/measured.h"
#include "broker/policy/role.h"
#include "proto/endpoint.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate {

enum class Handshake {
  kGoingOn,
  kDone,
  kFailed,
  kOver,  // it was done, and since then the connection has ended
};

class Net {
 public:
  virtual ~Net() = default;

  // A non-blocking, close-on-exec socket of the endpoint's family, with these options. There is
  // none with some of them: `socket` is set when all are.
  virtual int Open(const Endpoint& endpoint, Transport transport, const SocketOptions& options,
                   UniqueFd* socket) = 0;

  // connect(2) as it is: EINPROGRESS when the handshake begins, EALREADY while it goes on, 0 once
  // when it has ended well, or its error. Taking the error leaves none for whoever holds a
  // duplicate. UDP and UNIX sockets are connected at once or not at all; a UNIX path without
  // following links (unix_path.h).
  virtual int Connect(int socket, const Endpoint& endpoint) = 0;

  // How far the handshake is, without taking its error.
  virtual Handshake Look(int socket) = 0;

  // Ends a handshake that goes on, or a connection, by shutdown(2); whoever holds a duplicate sees
  // it fail, or end.
  virtual void GiveUp(int socket) = 0;

  // Of a TCP connection: how it stands.
  virtual Measured Measure(int socket) = 0;
};

// The real one.
class KernelNet final : public Net {
 public:
  int Open(const Endpoint& endpoint, Transport transport, const SocketOptions& options,
           UniqueFd* socket) override;
  int Connect(int socket, const Endpoint& endpoint) override;
  Handshake Look(int socket) override;
  void GiveUp(int socket) override;
  Measured Measure(int socket) override { return MeasureTcp(socket); }
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_NET_H_
