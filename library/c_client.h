// The handle of a client, for the parts of the C API that are given one.
//
// Process: worker.

#ifndef SOCKGATE_LIBRARY_C_CLIENT_H_
#define SOCKGATE_LIBRARY_C_CLIENT_H_

#include <memory>

#include "client/broker_client.h"

struct sockgate_client {
  std::unique_ptr<sockgate::BrokerClient> client;
};

#endif  // SOCKGATE_LIBRARY_C_CLIENT_H_
