// What the kernel says of this machine and this network as a whole.
//
// Sources: proc(5) on /proc/stat and /proc/net/sockstat, ip(7) on ip_local_port_range.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_MACHINE_LOAD_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_MACHINE_LOAD_H_

#include <cstddef>

namespace sockgate::bench {

// How long processors have been busy, whoever used them, all together; in steps of 10 ms.
double BusyMicroseconds();

// Connections of this network in TIME_WAIT.
size_t TimeWaitCount();

// Local ports for connections to one address and port.
size_t LocalPortCount();

// Has the kernel use nearly all ports for them. False: it does not let us.
bool WidenLocalPorts();

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_MACHINE_LOAD_H_
