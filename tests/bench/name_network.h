// A network and a file tree of the benchmark's own, where libc and the broker ask the same name
// server.
//
// libc's resolver takes its servers from /etc/resolv.conf and nowhere else, and always asks at port
// 53. So the process moves into a network namespace, where that port is free, and a mount
// namespace, where it puts its own resolv.conf and an nsswitch.conf with Debian's "hosts: files
// dns" over the host's.
// Process: the one that calls, with one thread, and the children that it forks afterwards.
// Privilege: none where unprivileged user namespaces are allowed.

#ifndef SOCKGATE_TESTS_BENCH_NAME_NETWORK_H_
#define SOCKGATE_TESTS_BENCH_NAME_NETWORK_H_

#include "absl/status/status.h"

namespace sockgate::bench {

// Unavailable: this host does not let us have it; the message says why.
absl::Status EnterNameNetwork();

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_NAME_NETWORK_H_
