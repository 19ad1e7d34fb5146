// A network of the test's own: a fresh network namespace with a loopback, a black hole and dead
// ends.
//
// Process: the one that calls, and the children it forks or spawns afterwards. Call it at the start
// of a test's main(), or first thing in a forked child, while the process has a single thread: a
// namespace is a property of each thread, and threads that exist already would stay outside.
// Privilege: none where unprivileged user namespaces are allowed. An ordinary user gets a user
// namespace as well, and sees itself as user 0 in it from then on; root gets a network namespace
// only. Lifetime: the namespace, with all that is in it, goes when its last process goes.
//
// A test that is nothing without this network links :test_network_main instead of gtest_main.

#ifndef SOCKGATE_TESTS_SUPPORT_TEST_NAMESPACE_H_
#define SOCKGATE_TESTS_SUPPORT_TEST_NAMESPACE_H_

#include <absl/status/status.h>

#include <string>

namespace sockgate::testing {

// SYNs to these vanish in silence, on every port: connect() neither succeeds nor fails until the
// caller's or the kernel's patience ends.
inline constexpr char kBlackHoleV4[] = "203.0.113.66";
inline constexpr char kBlackHoleV6[] = "2001:db8:66::66";

// connect() fails at once with EHOSTUNREACH.
inline constexpr char kUnreachableV4[] = "198.51.100.1";
inline constexpr char kUnreachableV6[] = "2001:db8:dead::1";

// connect() fails at once with ENETUNREACH: there is no default route.
inline constexpr char kNoRouteV4[] = "192.0.2.1";
inline constexpr char kNoRouteV6[] = "2001:db8:beef::1";

// Moves the calling process into a new network as above. 127.0.0.0/8 and ::1 work in it as usual.
// FailedPrecondition: the process has more than one thread (an error of the test). Unavailable:
// this host does not let us have it (no namespaces, no veth device, no IPv6, no `ip` command); the
// message says why, and a test may skip with it. After an error the process may be left in an empty
// network.
absl::Status EnterTestNetwork();

// Gives the test network's loopback device one more address (IPv4 or IPv6 literal, no prefix
// length), so that a server can stand at an address that looks public or private. Only after
// EnterTestNetwork().
absl::Status AddLocalAddress(const std::string& address);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_TEST_NAMESPACE_H_
