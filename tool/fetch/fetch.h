// sockgate fetch: the launcher's side. Starts a broker and confined workers, hands URLs out, and
// writes what comes back.
//
// Process: the launcher, unconfined, single-threaded. It opens output files and gives them to no
// worker. No name is looked up here: the broker does that, for the workers.
// Signals: SIGINT, SIGTERM and SIGHUP end broker and workers, and remove what is not whole, unless
// they are ignored.

#ifndef SOCKGATE_TOOL_FETCH_FETCH_H_
#define SOCKGATE_TOOL_FETCH_FETCH_H_

#include "tool/fetch/fetch_options.h"

namespace sockgate {

// Returns the exit status: 0, or that of the last transfer that failed; exit_status.h has those that
// are not curl's.
int Fetch(const FetchOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_FETCH_H_
