// FetchPlan: what is to be fetched, how, and where it goes: the command line, checked and with its
// files read.
//
// Process: the launcher, before any worker and before any output file is touched.
// Blocking: as reading what -i, -d and -H name does.

#ifndef SOCKGATE_TOOL_FETCH_FETCH_PLAN_H_
#define SOCKGATE_TOOL_FETCH_FETCH_PLAN_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/pool/transfer.h"
#include "tool/fetch/body_output.h"
#include "tool/fetch/fetch_options.h"
#include "tool/fetch/url_fault.h"

namespace sockgate {

struct FetchJob {
  std::string url;
  BodyPlace place;
  size_t line = 0;  // of the list; 0: it is on the command line
  UrlFault fault;   // it fails with this, and nothing is asked of anybody
};

struct FetchPlan {
  // The error says what to write.
  static absl::StatusOr<FetchPlan> Make(const FetchOptions& options);

  // "urls.txt:3" of a job that is in the list; else empty.
  std::string Where(const FetchJob& job) const;

  // Whether standard output gets a body, or results.
  bool WritesToStandardOutput() const;
  // Whether a body goes to this process's standard output, and that is a terminal.
  bool ShowsBodies() const;

  std::vector<FetchJob> jobs;
  std::string list;   // what it is called in messages
  bool json = false;  // results are on standard output
  Transfer request;   // of all of them, but for the URL

 private:
  absl::Status ChoosePlaces(const FetchOptions& options);
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_FETCH_PLAN_H_
