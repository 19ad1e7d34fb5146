#include "tests/support/test_mounts.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "proto/check.h"
#include "proto/unique_fd.h"

namespace sockgate::testing {
namespace {

absl::Status Unavailable(absl::string_view what) {
  return absl::UnavailableError(
      absl::StrCat("no mounts of the test's own: ", absl::ErrnoToStatus(errno, what).message()));
}

bool WriteTo(const char* path, const std::string& text) {
  const UniqueFd file(open(path, O_WRONLY | O_CLOEXEC));
  return file.valid() && write(file.get(), text.data(), text.size()) >= 0;
}

absl::Status UnshareAsOrdinaryUser() {
  const std::string user = absl::StrCat("0 ", getuid(), " 1");
  const std::string group = absl::StrCat("0 ", getgid(), " 1");
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return Unavailable("unshare");
  if (!WriteTo("/proc/self/setgroups", "deny") || !WriteTo("/proc/self/uid_map", user) ||
      !WriteTo("/proc/self/gid_map", group)) {
    return Unavailable("uid_map");
  }
  return absl::OkStatus();
}

std::string Options(size_t bytes) { return absl::StrCat("mode=0777,size=", bytes); }

}  // namespace

absl::Status EnterTestMounts() {
  absl::Status status;
  if (unshare(CLONE_NEWNS) != 0) status = UnshareAsOrdinaryUser();
  if (!status.ok()) return status;
  // Or what is mounted here would show outside.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return Unavailable("mount");
  return absl::OkStatus();
}

TinyDisk::TinyDisk(std::string folder, size_t bytes) : folder_(std::move(folder)) {
  SOCKGATE_CHECK(mount("tmpfs", folder_.c_str(), "tmpfs", 0, Options(bytes).c_str()) == 0);
}

TinyDisk::~TinyDisk() { umount2(folder_.c_str(), MNT_DETACH); }

void TinyDisk::Resize(size_t bytes) const {
  SOCKGATE_CHECK(mount(nullptr, folder_.c_str(), nullptr, MS_REMOUNT, Options(bytes).c_str()) == 0);
}

}  // namespace sockgate::testing
