// sockgate fetch: the launcher's side. Starts a broker and a confined worker, and waits.
//
// Process: the launcher, unconfined, single-threaded. What may be done only before confinement
// happens here: output files are opened. No name is looked up: the broker does that, for the
// worker.

#ifndef SOCKGATE_TOOL_FETCH_H_
#define SOCKGATE_TOOL_FETCH_H_

#include <algorithm>
#include <string>
#include <vector>

#include "proto/messages.h"
#include "tool/exit_status.h"  // IWYU pragma: export

namespace sockgate {

struct FetchOptions {
  // In seconds, of the limits that hold while a transfer is not connected yet, the shorter.
  double ConnectLimit() const {
    return max_time_s > 0 ? std::min(max_time_s, connect_timeout_s) : connect_timeout_s;
  }

  std::vector<std::string> urls;
  std::vector<std::string>
      outputs;  // of the URL at the same index; beyond the end: standard output
  std::vector<std::string> allow;
  std::vector<std::string> allow_private;
  std::vector<std::string> dns_servers;  // ADDRESS or ADDRESS:PORT; empty: those of the system
  std::string proxy;                     // empty: none, whatever the environment says
  ConnectMode mode = ConnectMode::kInProgress;
  bool follow = false;
  bool fail = false;
  bool insecure = false;
  bool verbose = false;
  bool silent = false;
  long max_redirects = 20;
  double connect_timeout_s = 60;
  double max_time_s = 0;   // 0: none
  std::string ca_file;     // empty: the system's
  std::string audit_file;  // empty: no audit log
};

// Returns the exit status: 0, or that of the last transfer that failed.
int Fetch(const FetchOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_H_
