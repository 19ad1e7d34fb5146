// sockgate explain: what a policy says of one place, and why. The decision is the broker's own.
//
// Process: the command, unconfined. Looks nothing up: the addresses of a name are given.

#ifndef SOCKGATE_TOOL_EXPLAIN_H_
#define SOCKGATE_TOOL_EXPLAIN_H_

#include <string>
#include <vector>

namespace sockgate {

struct ExplainOptions {
  std::string policy_file;
  std::string role;  // empty: the only one
  std::string target;
  std::vector<std::string> resolved_to;  // addresses of the target's name
  bool udp = false;
  bool json = false;
};

// Prints the verdict, the rule that decided with its line, and each step on the way. Returns the
// exit status: 0 when it is let through (of several addresses: one of them), 1 when it is denied, 2
// for what cannot be explained.
int Explain(const ExplainOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_EXPLAIN_H_
