// Where the tests' names lead: addresses of the test network that look public, or private, and who
// stands there.
//
// Process: the test, in the test network.

#ifndef SOCKGATE_TESTS_INTEGRATION_NAMES_PLACES_H_
#define SOCKGATE_TESTS_INTEGRATION_NAMES_PLACES_H_

#include <cstdint>
#include <string>

#include "proto/unique_fd.h"
#include "tests/support/http_server.h"

namespace sockgate::testing {

// 8.8.8.1 to 8.8.8.5, 2600::1 and 10.1.1.1. Only in the test network, so nobody is met there by
// chance.
inline constexpr int kPublicAddresses = 5;
inline constexpr char kPublicV6[] = "2600::1";
inline constexpr char kPrivate[] = "10.1.1.1";
std::string PublicAddress(int number);

// Puts all of them on the loopback device, once in a program. An error ends it.
void AddPlaces();

// A server at one of them. Adds them all.
LoopbackServer::Options ServerAt(const std::string& address, uint16_t port = 0);

// A listener that nobody should ever connect to.
class Canary {
 public:
  // Port 0: the kernel's choice.
  explicit Canary(const std::string& address, uint16_t port = 0);

  uint16_t port() const { return port_; }

  // Whether somebody has.
  bool touched() const;

 private:
  UniqueFd listener_;
  uint16_t port_ = 0;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_NAMES_PLACES_H_
