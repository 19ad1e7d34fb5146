// RunForked: runs a function in a process of its own and tells how that process ended.
//
// For tests of things that a process can do only once, or does not survive. The child gets 20
// seconds (SIGALRM), writes no core, and ends by _exit, so nothing of the test's own state
// runs there.

#ifndef SOCKGATE_TESTS_CLIENT_LAUNCH_FORKED_H_
#define SOCKGATE_TESTS_CLIENT_LAUNCH_FORKED_H_

#include <cstdint>
#include <functional>
#include <ostream>

#include "client/launch/worker.h"

namespace sockgate::launch {

inline ExitStatus Exited(int code) { return {false, code}; }
inline ExitStatus Signaled(int signal) { return {true, signal}; }
void PrintTo(const ExitStatus& status, std::ostream* out);

// The result of `body` becomes the exit code.
ExitStatus RunForked(const std::function<int()>& body);

// 0 for a call that succeeded, its errno for one that returned -1. A filter shows itself only in
// the latter; all errnos fit into an exit code.
int ErrnoOf(int64_t result);

// True in a build with AddressSanitizer, which makes system calls of its own and needs huge
// mappings.
bool UnderAddressSanitizer();

}  // namespace sockgate::launch

#endif  // SOCKGATE_TESTS_CLIENT_LAUNCH_FORKED_H_
