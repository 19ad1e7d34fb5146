#include "broker/inherited_sockets.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "broker/taken_variable.h"

namespace sockgate {
namespace {

// Where the first one is.
constexpr int kFirst = STDERR_FILENO + 1;

// More paths than a policy can have, and one to be controlled by.
constexpr int kMost = 1025;

std::optional<int> Option(int socket, int name) {
  int value = 0;
  socklen_t length = sizeof(value);
  if (getsockopt(socket, SOL_SOCKET, name, &value, &length) != 0) return std::nullopt;
  return value;
}

// What is wrong with it; empty: nothing.
absl::string_view Fault(int descriptor) {
  if (fcntl(descriptor, F_GETFD) < 0) return "is not open";
  const auto domain = Option(descriptor, SO_DOMAIN);
  if (!domain.has_value()) return "is no socket";
  if (*domain != AF_UNIX) return "is no UNIX socket";
  if (Option(descriptor, SO_TYPE) != SOCK_SEQPACKET) {
    return "is no SOCK_SEQPACKET socket: write ListenSequentialPacket= in its unit";
  }
  if (Option(descriptor, SO_ACCEPTCONN) != 1) return "does not listen: write Accept=no in its unit";
  return "";
}

// Empty: it has none.
std::string PathOf(int socket) {
  sockaddr_un address = {};
  socklen_t length = sizeof(address);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return "";
  constexpr size_t kBefore = offsetof(sockaddr_un, sun_path);
  if (length <= kBefore || address.sun_path[0] == '\0') return "";
  const size_t room = std::min<size_t>(length, sizeof(address)) - kBefore;
  return {address.sun_path, strnlen(address.sun_path, room)};
}

bool Prepare(int socket) {
  const int flags = fcntl(socket, F_GETFL);
  return fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 && flags >= 0 &&
         fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0;
}

}  // namespace

absl::StatusOr<InheritedSockets> InheritedSockets::FromEnvironment() {
  const std::string count_text = TakeVariable("LISTEN_FDS");
  const std::string pid_text = TakeVariable("LISTEN_PID");
  const std::vector<std::string> names = absl::StrSplit(TakeVariable("LISTEN_FDNAMES"), ':');
  InheritedSockets sockets;
  pid_t pid = 0;
  if (count_text.empty() || !absl::SimpleAtoi(pid_text, &pid) || pid != getpid()) return sockets;
  int count = 0;
  if (!absl::SimpleAtoi(count_text, &count) || count < 0 || count > kMost) {
    return absl::InvalidArgumentError(
        absl::StrCat("LISTEN_FDS: '", count_text, "' is no number of sockets"));
  }
  for (int i = 0; i < count; ++i) {
    std::string name = absl::StrCat("inherited socket ", kFirst + i);
    const auto at = static_cast<size_t>(i);
    if (at < names.size() && !names[at].empty()) absl::StrAppend(&name, " (", names[at], ")");
    const absl::Status added = sockets.Add({UniqueFd(kFirst + i), std::move(name)});
    if (!added.ok()) return added;
  }
  return sockets;
}

absl::Status InheritedSockets::Add(Socket socket) {
  const int descriptor = socket.descriptor.get();
  const absl::string_view fault = Fault(descriptor);
  if (!fault.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(socket.name, " ", fault));
  }
  std::string path = PathOf(descriptor);
  if (path.empty()) return absl::InvalidArgumentError(absl::StrCat(socket.name, " has no path"));
  if (!Prepare(descriptor))
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot take ", socket.name));
  const auto [there, is_new] = by_path_.emplace(std::move(path), std::move(socket));
  if (is_new) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(there->second.name, " and another one are both at ", there->first));
}

UniqueFd InheritedSockets::Take(const std::string& path) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return UniqueFd();
  UniqueFd socket = std::move(found->second.descriptor);
  by_path_.erase(found);
  return socket;
}

absl::Status InheritedSockets::CheckAllTaken() const {
  if (by_path_.empty()) return absl::OkStatus();
  std::vector<std::string> left;
  for (const auto& [path, socket] : by_path_) {
    left.push_back(absl::StrCat(socket.name, " is at ", path));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(absl::StrJoin(left, ", "),
                   ", where this broker is not told to listen: write that "
                   "path in the policy, or take it out of the unit"));
}

}  // namespace sockgate
