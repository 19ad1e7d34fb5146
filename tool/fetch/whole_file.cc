#include "tool/fetch/whole_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "proto/unique_fd.h"

namespace sockgate {

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, size_t most) {
  const bool is_input = path == "-";
  const UniqueFd file(is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                               : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  const std::string name = is_input ? "standard input" : path;
  if (!file.valid()) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", name));
  std::string text;
  char part[65536];
  for (;;) {
    const ssize_t size = read(file.get(), part, sizeof(part));
    if (size == 0) return text;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", name));
    text.append(part, static_cast<size_t>(size));
    if (text.size() > most) {
      return absl::InvalidArgumentError(absl::StrCat(name, " has more than ", most, " bytes"));
    }
  }
}

}  // namespace sockgate
