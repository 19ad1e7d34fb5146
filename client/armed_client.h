// ArmedClient: the client that this process's lookups go through while the name shim is armed.
//
// Process: worker. Apart from the shim itself so that a program which only uses CurlAdapter links
// no interposed function.
// Ownership: the client stays the caller's, and must outlive Disarm().
// Threads: any. An ArmedClient object holds the client: Disarm() waits until none is left. Nothing
// else blocks or allocates.
// fork(2): a child stays armed. The client refuses to work there, so its lookups fail instead of
// going around the broker.

#ifndef SOCKGATE_CLIENT_ARMED_CLIENT_H_
#define SOCKGATE_CLIENT_ARMED_CLIENT_H_

#include "client/broker_client.h"

namespace sockgate {

class ArmedClient {
 public:
  // Takes hold of the client, if there is one.
  ArmedClient();
  ~ArmedClient();
  ArmedClient(const ArmedClient&) = delete;
  ArmedClient& operator=(const ArmedClient&) = delete;

  // Null when the shim is not armed.
  BrokerClient* get() const { return client_; }

  // False when one is armed already.
  static bool Arm(BrokerClient* client);
  static void Disarm();
  static bool armed();

 private:
  BrokerClient* client_;
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_ARMED_CLIENT_H_
