#include "tests/bench/name_network.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "proto/unique_fd.h"
#include "tests/support/test_namespace.h"

namespace sockgate::bench {
namespace {

// Puts a file with this text over another, for this mount namespace.
absl::Status Cover(const char* path, absl::string_view text) {
  const char* folder = std::getenv("TEST_TMPDIR");
  std::string cover = absl::StrCat(folder == nullptr ? "/tmp" : folder, "/resolve_bench.XXXXXX");
  const UniqueFd file(mkostemp(cover.data(), O_CLOEXEC));
  if (!file.valid()) return absl::ErrnoToStatus(errno, cover);
  absl::Status status;
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      mount(cover.c_str(), path, nullptr, MS_BIND, nullptr) != 0) {
    status = absl::UnavailableError(absl::StrCat("no ", path, " of our own: ", strerror(errno)));
  }
  unlink(cover.c_str());
  return status;
}

}  // namespace

absl::Status EnterNameNetwork() {
  if (absl::Status status = testing::EnterTestNetwork(); !status.ok()) return status;
  if (unshare(CLONE_NEWNS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return absl::UnavailableError(absl::StrCat("no mount namespace: ", strerror(errno)));
  }
  absl::Status status = Cover("/etc/resolv.conf", "nameserver 127.0.0.1\n");
  if (status.ok()) status = Cover("/etc/nsswitch.conf", "hosts: files dns\n");
  return status;
}

}  // namespace sockgate::bench
