// The exit statuses of the command that are its own.

#ifndef SOCKGATE_TOOL_EXIT_STATUS_H_
#define SOCKGATE_TOOL_EXIT_STATUS_H_

namespace sockgate {

// Of `fetch`, beside libcurl's own codes. As with curl, 2 is also what a failed initialisation
// gives.
inline constexpr int kExitUsage = 2;
inline constexpr int kExitDenied = 120;   // the policy refused
inline constexpr int kExitLimited = 121;  // over a limit of the role
inline constexpr int kExitBroker = 122;   // the broker or a worker could not start, or ended early
// After a signal: 128 and its number, as a shell has it.

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_EXIT_STATUS_H_
