// sockgate reload: has a running broker read its policy file anew, and says what came of it.
//
// Process: the operator's command, root's or the broker's own user's.

#ifndef SOCKGATE_TOOL_RELOAD_H_
#define SOCKGATE_TOOL_RELOAD_H_

#include <string>

namespace sockgate {

struct ReloadOptions {
  std::string control;
};

// Findings go to standard error. Returns the exit status: 0 when the file's policy is in force, 1
// when it was refused or there is no broker.
int Reload(const ReloadOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_RELOAD_H_
