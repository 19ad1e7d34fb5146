// PathFailure: why a path that an operator named is refused, and what to do about it.
//
// Process: broker, at its start and at a reload; and the operator's commands. Looks at the path once
// more, so it speaks of how things are by now.
// Threads: any. Does not block.
// Hostile input: none, the paths are an operator's; of what others have put there only kind, owner
// and mode are told.

#ifndef SOCKGATE_BROKER_PATH_FAILURE_H_
#define SOCKGATE_BROKER_PATH_FAILURE_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sockgate {

// What has no place in a socket's address.
absl::Status NoSocketPath(absl::string_view path);

// `doing` ("cannot write /x/y") went wrong at `path`, which was to be made, opened or bound, with
// this errno; not EADDRINUSE.
absl::Status PathError(int error, absl::string_view doing, const std::string& path);

// A connection to whoever listens at `path` for orders went wrong with this errno.
absl::Status NoControlAt(int error, const std::string& path);

// "root", or "user 1000".
std::string UserText(uid_t user);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_PATH_FAILURE_H_
