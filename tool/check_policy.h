// sockgate check-policy: what is wrong with a policy file. The load is the broker's own.
//
// Process: the command, unconfined. Trusted but checked: the file.

#ifndef SOCKGATE_TOOL_CHECK_POLICY_H_
#define SOCKGATE_TOOL_CHECK_POLICY_H_

#include <string>

namespace sockgate {

struct CheckPolicyOptions {
  std::string file;
  bool json = false;
  bool strict = false;  // a warning fails, too
};

// Prints every finding. Returns the exit status: 0 when the file makes a policy, even one with
// warnings unless strict; 1 when it does not.
int CheckPolicy(const CheckPolicyOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_CHECK_POLICY_H_
