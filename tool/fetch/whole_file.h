// ReadWholeFile: a file that the command line names, or standard input.
//
// Process: the launcher, before any worker. Blocking: until the end of the file.

#ifndef SOCKGATE_TOOL_FETCH_WHOLE_FILE_H_
#define SOCKGATE_TOOL_FETCH_WHOLE_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace sockgate {

// "-": standard input. InvalidArgument: it has more than `most` bytes.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, size_t most);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_WHOLE_FILE_H_
