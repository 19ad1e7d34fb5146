// sockgate rotate: has a running broker open its audit log anew.
//
// Process: the operator's command.

#ifndef SOCKGATE_TOOL_ROTATE_H_
#define SOCKGATE_TOOL_ROTATE_H_

#include <string>

namespace sockgate {

struct RotateOptions {
  std::string control;
};

// Returns the exit status.
int Rotate(const RotateOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_ROTATE_H_
