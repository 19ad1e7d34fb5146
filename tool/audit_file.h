// OpenAuditFile, OpenAuditPlace: the --audit option; and standard error, as a broker that runs may
// write to it.

#ifndef SOCKGATE_TOOL_AUDIT_FILE_H_
#define SOCKGATE_TOOL_AUDIT_FILE_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "proto/unique_fd.h"

namespace sockgate {

// "-" is standard error, "" is no log (an invalid descriptor); anything else a file, made if need
// be, readable by its owner alone, to which lines are appended.
// Not for a worker's own standard error: what it may write, it may forge.
absl::StatusOr<UniqueFd> OpenAuditFile(const std::string& path);

// Where the log of a broker goes that serves for long, and how that is opened anew.
struct AuditPlace {
  UniqueFd descriptor;
  std::function<absl::StatusOr<UniqueFd>()> reopen = {};  // empty: it stays open for good
  std::string folder = {};                                // in which `reopen` opens a file
};

// "journald" is the system's journal. A regular file, or one that is made, and the journal can be
// opened anew; all else is as above.
absl::StatusOr<AuditPlace> OpenAuditPlace(const std::string& path);

// A description of its own, so that nobody else's settings change and no write to a slow terminal
// or pipe blocks the broker. What cannot be opened anew, such as a socket, is shared.
UniqueFd OwnStandardError();

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_AUDIT_FILE_H_
