#include "tool/fetch/output_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "confine/folders.h"

namespace sockgate {
namespace {

constexpr int kMostNumber = 100;

absl::Status CannotWrite(const std::string& path, int error) {
  return absl::ErrnoToStatus(error, absl::StrCat("cannot write ", path));
}

// "FOLDER/.NAME.XXXXXX", for mkostemp(3).
std::string HiddenName(const std::string& path) {
  const size_t name = path.rfind('/') + 1;  // 0 without a slash
  return absl::StrCat(path.substr(0, name), ".", path.substr(name), ".XXXXXX");
}

// As open(2) with O_CREAT would have it.
mode_t UsualMode() {
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

// open(2) of a pipe would wait inside for a reader, and hear no signal that comes by a descriptor.
// Invalid, with errno set.
UniqueFd OpenUnlessStopped(const std::string& path, int stop) {
  constexpr int kPause = 50;  // milliseconds
  for (;;) {
    UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (file.valid()) {
      const int flags = fcntl(file.get(), F_GETFL);
      if (flags < 0 || fcntl(file.get(), F_SETFL, flags & ~O_NONBLOCK) != 0) file.Reset();
      return file;
    }
    struct stat there;
    if (errno != ENXIO || stat(path.c_str(), &there) != 0 || !S_ISFIFO(there.st_mode)) return file;
    pollfd entry = {stop, POLLIN, 0};
    if (poll(&entry, 1, kPause) > 0) {
      errno = ECANCELED;
      return file;
    }
  }
}

// Neither replaces anything; a file system may know but one of them.
bool RenameToFree(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  return link(from.c_str(), to.c_str()) == 0 && unlink(from.c_str()) == 0;
}

}  // namespace

OutputFile::OutputFile(UniqueFd descriptor, std::string path, std::string hidden, Existing existing)
    : descriptor_(std::move(descriptor)),
      path_(std::move(path)),
      hidden_(std::move(hidden)),
      existing_(existing) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : descriptor_(std::move(other.descriptor_)),
      path_(std::move(other.path_)),
      hidden_(std::exchange(other.hidden_, "")),
      existing_(other.existing_) {}

OutputFile::~OutputFile() {
  if (!hidden_.empty()) unlink(hidden_.c_str());
}

absl::StatusOr<OutputFile> OutputFile::Open(const std::string& path, Existing existing, int stop) {
  struct stat there;
  if (stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    UniqueFd file = OpenUnlessStopped(path, stop);
    if (!file.valid()) return CannotWrite(path, errno);
    return OutputFile(std::move(file), path, "", existing);
  }
  return OpenHidden(confine::WithoutLinks(path).value_or(path), existing);
}

absl::StatusOr<OutputFile> OutputFile::OpenBeneath(const std::string& folder,
                                                   const std::string& name, Existing existing) {
  const std::string path = folder.empty() ? name : absl::StrCat(folder, "/", name);
  struct stat there;
  if (lstat(path.c_str(), &there) == 0 && S_ISDIR(there.st_mode)) return CannotWrite(path, EISDIR);
  return OpenHidden(path, existing);
}

absl::StatusOr<OutputFile> OutputFile::OpenHidden(const std::string& path, Existing existing) {
  struct stat there;
  const bool replaces = lstat(path.c_str(), &there) == 0 && S_ISREG(there.st_mode);
  std::string hidden = HiddenName(path);
  UniqueFd file(mkostemp(hidden.data(), O_CLOEXEC));
  if (!file.valid()) return CannotWrite(path, errno);
  OutputFile output(std::move(file), path, std::move(hidden), existing);
  const mode_t mode = replaces ? there.st_mode & 0777 : UsualMode();
  if (fchmod(output.descriptor(), mode) != 0) return CannotWrite(path, errno);
  return output;
}

// Of the null device nobody reads what was written.
bool OutputFile::CanRestart() const {
  struct stat status;
  return !hidden_.empty() || (fstat(descriptor_.get(), &status) == 0 && S_ISCHR(status.st_mode) &&
                              status.st_rdev == makedev(1, 3));
}

absl::Status OutputFile::Restart() {
  if (hidden_.empty()) return absl::OkStatus();
  if (ftruncate(descriptor_.get(), 0) == 0 && lseek(descriptor_.get(), 0, SEEK_SET) == 0) {
    return absl::OkStatus();
  }
  return CannotWrite(path_, errno);
}

absl::Status OutputFile::Keep() {
  if (hidden_.empty()) return absl::OkStatus();
  if (!(existing_ == Existing::kReplace ? GiveName() : GiveFreeName())) {
    return CannotWrite(path_, errno);
  }
  hidden_.clear();
  return absl::OkStatus();
}

bool OutputFile::GiveName() { return rename(hidden_.c_str(), path_.c_str()) == 0; }

bool OutputFile::GiveFreeName() {
  const std::string wanted = path_;
  for (int number = 0; number <= kMostNumber; ++number) {
    if (number != 0) path_ = absl::StrCat(wanted, ".", number);
    if (RenameToFree(hidden_, path_)) return true;
    if (errno != EEXIST) return false;
  }
  return false;
}

}  // namespace sockgate
