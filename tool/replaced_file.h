// ReplaceFile: a file that is the old one or the new one, whole, whenever it is read.
//
// Process: the operator's command. Blocks until the disk has it.
// Failure: the file at the path stays as it was, and what was written beside it is gone again.
// Signals that would end the process wait until it is done.

#ifndef SOCKGATE_TOOL_REPLACED_FILE_H_
#define SOCKGATE_TOOL_REPLACED_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sockgate {

// With mode 0644. Written next to its place under a hidden name that no other program has, and then
// renamed. What stands at the path and is not a regular file, such as a device or a symbolic link,
// is refused.
absl::Status ReplaceFile(const std::string& path, absl::string_view text);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_REPLACED_FILE_H_
