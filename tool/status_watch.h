// sockgate status --watch: how things stand in a broker, over and over.
//
// Process: the operator's command. On a terminal that can, a table that is drawn in place, until 'q'
// or a signal, after either of which the terminal is as it was; else a block or a line for each
// interval.
// Blocking: never on the broker. One that does not answer, or is not there, is asked again.

#ifndef SOCKGATE_TOOL_STATUS_WATCH_H_
#define SOCKGATE_TOOL_STATUS_WATCH_H_

#include "tool/status.h"

namespace sockgate {

// Returns the exit status, if no signal ends the process: 0, or 1 when nothing can be shown.
int WatchStatus(const StatusOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_STATUS_WATCH_H_
