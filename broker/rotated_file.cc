#include "broker/rotated_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <optional>

#include "absl/strings/str_cat.h"
#include "broker/path_failure.h"
#include "confine/folders.h"

namespace sockgate {

absl::StatusOr<RotatedFile> RotatedFile::At(const std::string& path) {
  std::optional<std::string> file = confine::WithoutLinks(path);
  if (!file.has_value()) {
    const auto folder = confine::WithoutLinks(confine::FolderOf(path));
    if (!folder.has_value()) return PathError(errno, absl::StrCat("cannot write ", path), path);
    file = absl::StrCat(*folder == "/" ? "" : *folder, "/", path.substr(path.rfind('/') + 1));
  }
  UniqueFd folder(open(confine::FolderOf(*file).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return PathError(errno, absl::StrCat("cannot write ", path), path);
  return RotatedFile(*std::move(file), std::move(folder));
}

absl::StatusOr<UniqueFd> RotatedFile::Open() const {
  const char* name = path_.c_str() + path_.rfind('/') + 1;
  UniqueFd file(openat(folder_.get(), name, kOpenFlags, kOpenMode));
  struct stat status;
  if (!file.valid() || fstat(file.get(), &status) != 0) {
    return PathError(errno, absl::StrCat("cannot write ", path_), path_);
  }
  if (!S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path_, " is not a regular file"));
  }
  return file;
}

std::string RotatedFile::folder() const { return confine::FolderOf(path_); }

}  // namespace sockgate
