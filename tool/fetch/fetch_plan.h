// FetchPlan: what is to be fetched, how, and where it goes: the command line, checked and with its
// files read.
//
// Process: the launcher, before any worker and before any output file is touched.
// Blocking: as reading what -i, -d and -H name does.

#ifndef SOCKGATE_TOOL_FETCH_FETCH_PLAN_H_
#define SOCKGATE_TOOL_FETCH_FETCH_PLAN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/pool/transfer.h"
#include "tool/fetch/body_output.h"
#include "tool/fetch/fetch_options.h"

namespace sockgate {

struct FetchJob {
  std::string url;
  BodyPlace place;
};

struct FetchPlan {
  // The error says what to write.
  static absl::StatusOr<FetchPlan> Make(const FetchOptions& options);

  // Whether a body goes to this process's standard output, and that is a terminal.
  bool ShowsBodies() const;

  std::vector<FetchJob> jobs;
  Transfer request;  // of all of them, but for the URL
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_FETCH_PLAN_H_
