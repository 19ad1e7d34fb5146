// WriteAll: write(2), again and again until all is written.

#ifndef SOCKGATE_TOOL_WRITE_ALL_H_
#define SOCKGATE_TOOL_WRITE_ALL_H_

#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "absl/strings/string_view.h"

namespace sockgate {

// False, with errno set, when that is not possible.
inline bool WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t size = write(fd, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    text.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_WRITE_ALL_H_
