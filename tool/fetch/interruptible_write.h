// WriteUnlessStopped: writes to a file, a pipe or a terminal that may not take it for a long time,
// and gives up when something else says so.
//
// Process: the launcher, whose signals come by a descriptor: a reader that has gone to sleep must
// not keep it from hearing Ctrl-C. Blocks as long as the reader and `stop` do; a terminal that was
// halted (Ctrl-S), until it goes on.

#ifndef SOCKGATE_TOOL_FETCH_INTERRUPTIBLE_WRITE_H_
#define SOCKGATE_TOOL_FETCH_INTERRUPTIBLE_WRITE_H_

#include "absl/strings/string_view.h"

namespace sockgate {

// False, with errno set: it cannot be written; with ECANCELED: `stop` was readable first.
bool WriteUnlessStopped(int stop, int fd, absl::string_view bytes);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_INTERRUPTIBLE_WRITE_H_
