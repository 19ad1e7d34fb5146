#include "broker/unix_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "proto/unique_fd.h"

namespace sockgate {
namespace {

// glibc has no function for it.
UniqueFd OpenWithoutLinks(const char* path) {
  open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how))));
}

int Connect(int socket, const Endpoint& endpoint) {
  sockaddr_storage address;
  const socklen_t length = endpoint.ToSockaddr(&address);
  return connect(socket, reinterpret_cast<sockaddr*>(&address), length) == 0 ? 0 : errno;
}

// connect(2) takes no descriptor for a target, but a path that leads to one: a link of the kernel's
// own, which goes to what is open and not by any name.
int ConnectOpen(int socket, int target) {
  std::array<char, sizeof("/proc/self/fd/") + 10> path;
  const int size = std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", target);
  const auto endpoint = Endpoint::Unix({path.data(), static_cast<size_t>(size)});
  const int error = Connect(socket, *endpoint);
  // What is open cannot be missing, so it is /proc that is.
  return error == ENOENT ? ENOSYS : error;
}

}  // namespace

int ConnectUnixPath(int socket, const Endpoint& endpoint) {
  const absl::string_view name = endpoint.unix_name();
  if (name.empty() || name[0] != '/') return EINVAL;
  std::array<char, kMaxUnixPathBytes> path = {};  // a pathname is shorter by its NUL
  name.copy(path.data(), path.size());
  const UniqueFd target = OpenWithoutLinks(path.data());
  if (!target.valid()) return errno;
  struct stat status;
  if (fstat(target.get(), &status) != 0) return errno;
  if (!S_ISSOCK(status.st_mode)) return ENOTSOCK;
  return ConnectOpen(socket, target.get());
}

}  // namespace sockgate
