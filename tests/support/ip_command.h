// Runs iproute2's `ip` on a list of commands.
//
// Process: tests; the commands act on the network namespace of the calling thread. Blocks until
// `ip` has ended. Threads: free of shared state. Trusted input: the commands are the test's own.

#ifndef SOCKGATE_TESTS_SUPPORT_IP_COMMAND_H_
#define SOCKGATE_TESTS_SUPPORT_IP_COMMAND_H_

#include <absl/status/status.h>

#include <string>

namespace sockgate::testing {

// One command a line, each without the leading `ip`, at most 4 KiB in all. The first that fails
// ends the run: Unavailable, with what `ip` said about it.
absl::Status RunIpCommands(const std::string& commands);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_IP_COMMAND_H_
