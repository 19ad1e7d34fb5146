#include "tool/audit_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace sockgate {

UniqueFd OwnStandardError() {
  UniqueFd own(open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!own.valid()) own.Reset(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  return own;
}

absl::StatusOr<UniqueFd> OpenAuditFile(const std::string& path) {
  if (path.empty()) return UniqueFd();
  UniqueFd file(path == "-" ? OwnStandardError().Release()
                            : open(path.c_str(),
                                   O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!file.valid()) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  return file;
}

}  // namespace sockgate
