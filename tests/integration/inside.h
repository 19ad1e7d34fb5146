// Inside: what a piece of a test has in the process where it runs: a client, and a way to pause until the
// test has done its part.
//
// Process: the one that the test has started. The client and the pipes' ends are lent.

#ifndef SOCKGATE_TESTS_INTEGRATION_INSIDE_H_
#define SOCKGATE_TESTS_INTEGRATION_INSIDE_H_

#include "client/broker_client.h"

namespace sockgate::testing {

class Inside {
 public:
  Inside(BrokerClient* client, int said, int told) : client_(client), said_(said), told_(told) {}

  BrokerClient& client() const { return *client_; }
  // Until the test's Resume().
  void Pause() const;

 private:
  BrokerClient* const client_;
  const int said_;
  const int told_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_INSIDE_H_
