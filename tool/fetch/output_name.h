// OutputName: the name that -O gives a file: the last part of the URL's path, as curl has it.
//
// Process: the launcher. Pure.
// Hostile input: URLs, which come from lists that strangers wrote. The name is one part of a path,
// never a way out of the folder; what is none, or would write to a terminal what it likes when the
// folder is listed, is an error.

#ifndef SOCKGATE_TOOL_FETCH_OUTPUT_NAME_H_
#define SOCKGATE_TOOL_FETCH_OUTPUT_NAME_H_

#include <string>

#include "absl/status/statusor.h"

namespace sockgate {

// "page.html" of "https://example.com/a/page.html?q=1". Percent signs stay as they are. The error
// says what to write.
absl::StatusOr<std::string> OutputName(const std::string& url);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_OUTPUT_NAME_H_
