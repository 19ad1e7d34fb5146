// sockgate fetch: the launcher's side. Starts a broker and a confined worker, and waits.
//
// Process: the launcher, unconfined, single-threaded. What may be done only before confinement
// happens here: names are looked up, output files and the CA bundle are opened.

#ifndef SOCKGATE_TOOL_FETCH_H_
#define SOCKGATE_TOOL_FETCH_H_

#include <string>
#include <vector>

#include "proto/messages.h"

namespace sockgate {

struct FetchOptions {
  std::vector<std::string> urls;
  std::vector<std::string>
      outputs;  // of the URL at the same index; beyond the end: standard output
  std::vector<std::string> allow;
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

// Exit statuses beside libcurl's own codes. As with curl, 2 is also what a failed initialisation
// gives.
inline constexpr int kExitUsage = 2;
inline constexpr int kExitDenied = 120;   // the policy refused
inline constexpr int kExitLimited = 121;  // over a limit of the role
inline constexpr int kExitBroker = 122;  // the broker or the worker could not start, or ended early

// Returns the exit status: 0, or that of the last transfer that failed.
int Fetch(const FetchOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_H_
