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
  bool watch = false;
  double interval_s = 1;  // between two looks of a watch
};

// Returns the exit status: 0, or 1 when there is no broker, or nowhere to show it. A watch goes on
// until it is ended.
int Status(const StatusOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_STATUS_H_
