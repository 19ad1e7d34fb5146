// TCP sockets by address literal, for tests: bound, listening, connected, described.
//
// Independent of proto/endpoint on purpose: what tests that code must not lean on it.
// Process: any; sockets belong to the network namespace of the calling thread. Threads: all
// functions are free of shared state. Every descriptor is close-on-exec and owned by the returned
// UniqueFd. Addresses are IPv4 or IPv6 literals without brackets or scope; anything else is
// InvalidArgument.

#ifndef SOCKGATE_TESTS_SUPPORT_TCP_SOCKET_H_
#define SOCKGATE_TESTS_SUPPORT_TCP_SOCKET_H_

#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "proto/unique_fd.h"

namespace sockgate::testing {

// Binds a non-blocking socket and does not listen. Port 0 lets the kernel choose. No SO_REUSEADDR:
// while the socket lives nobody else gets the port, and whoever connects to it gets ECONNREFUSED.
absl::StatusOr<UniqueFd> BindTcp(const std::string& address, uint16_t port);

// A non-blocking listener with SO_REUSEADDR, so that a port can be taken again right after a
// restart. Linux lets `backlog` + 1 finished connections wait.
absl::StatusOr<UniqueFd> ListenTcp(const std::string& address, uint16_t port, int backlog);

// The local port of a bound or connected socket.
absl::StatusOr<uint16_t> LocalPort(int fd);

// `address:port`, with brackets around an IPv6 address.
std::string JoinHostPort(const std::string& address, uint16_t port);

struct ConnectResult {
  UniqueFd fd;    // a blocking descriptor when error is 0, none otherwise
  int error = 0;  // errno of connect(); EINPROGRESS: no answer of any kind within the timeout
  std::chrono::milliseconds took{0};
};

// Connects and waits for the outcome, at most `timeout`. An address that is no literal: EINVAL.
ConnectResult TryConnect(const std::string& address, uint16_t port,
                         std::chrono::milliseconds timeout);

// Waits until somebody listens there, as a server does that has just been started. False: nobody
// came in ten seconds.
bool AwaitListener(const std::string& address, uint16_t port);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_TCP_SOCKET_H_
