// sockgate status: how things stand in a running broker.
//
// Process: the operator's command, root's or the broker's own user's.

#ifndef SOCKGATE_TOOL_STATUS_H_
#define SOCKGATE_TOOL_STATUS_H_

#include <string>

namespace sockgate {

struct StatusOptions {
  std::string control;
  bool json = false;
};

// Returns the exit status: 0, or 1 when there is no broker.
int Status(const StatusOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_STATUS_H_
