#include "tool/replaced_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "broker/path_failure.h"
#include "proto/unique_fd.h"
#include "tool/write_all.h"

namespace sockgate {
namespace {

// No signal that a timer's service manager or a terminal sends leaves a file behind.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t ending;
    sigemptyset(&ending);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&ending, number);
    pthread_sigmask(SIG_BLOCK, &ending, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

// "FOLDER/.NAME.XXXXXX", for mkostemp(3): a collector of files by their ends finds it not.
std::string HiddenName(const std::string& path) {
  const size_t name = path.rfind('/') + 1;  // 0 without a slash
  return absl::StrCat(path.substr(0, name), ".", path.substr(name), ".XXXXXX");
}

bool Fill(int fd, absl::string_view text) {
  return fchmod(fd, 0644) == 0 && WriteAll(fd, text) && fsync(fd) == 0;
}

}  // namespace

absl::Status ReplaceFile(const std::string& path, absl::string_view text) {
  struct stat there;
  if (lstat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is not a regular file: name another one"));
  }
  const SignalsHeld held;
  std::string hidden = HiddenName(path);
  UniqueFd file(mkostemp(hidden.data(), O_CLOEXEC));
  const std::string failure = absl::StrCat("cannot write ", path);
  // Another one is made beside it, so what is there does not matter.
  if (!file.valid()) return PathError(errno, failure, hidden);
  if (Fill(file.get(), text) && rename(hidden.c_str(), path.c_str()) == 0) return absl::OkStatus();
  const int error = errno;
  unlink(hidden.c_str());
  return absl::ErrnoToStatus(error, failure);
}

}  // namespace sockgate
