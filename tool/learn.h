// sockgate learn: a policy that would have allowed what an audit log says was asked for.
//
// Process: the command, unconfined. Prints the policy; what is to become of it is the operator's
// choice.
// Hostile input: the log. What is no line of the broker's is skipped, and said so.
// Blocking: as long as reading the log takes; for ever if it is a pipe that never ends.

#ifndef SOCKGATE_TOOL_LEARN_H_
#define SOCKGATE_TOOL_LEARN_H_

#include <string>

namespace sockgate {

struct LearnOptions {
  std::string audit_log;  // "-": standard input
  std::string role;       // empty: all
  bool denied = false;    // what was denied counts too, not only what was let through
};

// Returns the exit status: 0, or 1 when the log cannot be read or has nothing to learn from.
int Learn(const LearnOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_LEARN_H_
