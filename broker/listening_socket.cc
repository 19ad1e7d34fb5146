#include "broker/listening_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "broker/peer_check.h"
#include "confine/folders.h"
#include "proto/endpoint.h"

namespace sockgate {
namespace {

constexpr int kBacklog = ListeningSocket::kMaxWaiting - 1;
constexpr int kType = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

// Whether the path is a socket that refuses connections, as one does whose broker was killed. A
// file of any other kind "refuses" them too.
bool IsAbandoned(const std::string& path, const sockaddr* address, socklen_t length) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const UniqueFd probe(socket(AF_UNIX, kType, 0));
  return connect(probe.get(), address, length) != 0 && errno == ECONNREFUSED;
}

// The path has the mode of the socket, less the umask: so it is nobody else's from the beginning,
// whatever the umask is.
int BindOwnerOnly(int socket, const sockaddr* address, socklen_t length) {
  if (fchmod(socket, 0600) != 0) return errno;
  return bind(socket, address, length) == 0 ? 0 : errno;
}

// Whoever may replace the socket receives what workers say to the broker.
absl::Status CheckFolder(const std::string& path) {
  const std::string cannot = absl::StrCat("cannot listen on ", path);
  struct stat status;
  if (stat(confine::FolderOf(path).c_str(), &status) != 0)
    return absl::ErrnoToStatus(errno, cannot);
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    return absl::FailedPreconditionError(
        absl::StrCat(cannot, ": its folder belongs to neither root nor the broker's user"));
  }
  if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(cannot, ": all users may write to its folder, which is not sticky"));
  }
  return absl::OkStatus();
}

std::string LinkTo(int descriptor) { return absl::StrCat("/proc/self/fd/", descriptor); }

// Whether a connection to what is open at `place` comes out at `listening`. Whoever else has
// connected so early, of this user or root, loses the connection.
bool LeadsTo(int place, int listening) {
  sockaddr_storage address;
  const socklen_t length = Endpoint::Unix(LinkTo(place))->ToSockaddr(&address);
  const UniqueFd probe(socket(AF_UNIX, kType, 0));
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) return false;
  bool found = false;
  for (int i = 0; i < ListeningSocket::kMaxWaiting; ++i) {
    const UniqueFd accepted(accept4(listening, nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted.valid()) break;
    found = found || IdentityOf(accepted.get()).pid == getpid();
  }
  return found;
}

// By its descriptor, since another file may be at the path by now.
int Give(int place, uid_t owner, gid_t group, mode_t mode) {
  struct stat status;
  if (fstat(place, &status) != 0) return errno;
  const bool changes_hands = status.st_uid != owner || status.st_gid != group;
  if (changes_hands && fchownat(place, "", owner, group, AT_EMPTY_PATH) != 0) return errno;
  if ((status.st_mode & 07777) != mode && chmod(LinkTo(place).c_str(), mode) != 0) return errno;
  return 0;
}

}  // namespace

absl::StatusOr<ListeningSocket> ListeningSocket::Bind(const ListenAt& at) {
  const auto endpoint = Endpoint::Unix(at.path);
  if (!endpoint.has_value() || at.path[0] == '\0') {
    return absl::InvalidArgumentError(
        absl::StrCat("'", at.path, "' cannot be a socket's path: 1 to 107 bytes"));
  }
  if (absl::Status folder = CheckFolder(at.path); !folder.ok()) return folder;
  sockaddr_storage storage;
  const socklen_t length = endpoint->ToSockaddr(&storage);
  const auto* address = reinterpret_cast<const sockaddr*>(&storage);

  UniqueFd socket(::socket(AF_UNIX, kType, 0));
  if (!socket.valid()) return absl::ErrnoToStatus(errno, "socket");
  int error = BindOwnerOnly(socket.get(), address, length);
  if (error == EADDRINUSE && IsAbandoned(at.path, address, length) &&
      unlink(at.path.c_str()) == 0) {
    error = BindOwnerOnly(socket.get(), address, length);
  }
  if (error != 0) return absl::ErrnoToStatus(error, absl::StrCat("cannot listen on ", at.path));
  if (listen(socket.get(), kBacklog) != 0) return absl::ErrnoToStatus(errno, "listen");
  ListeningSocket bound(at.path, std::move(socket), /*adopted=*/false);
  if (absl::Status found = bound.FindPlace(); !found.ok()) return found;
  if (absl::Status granted = bound.Grant(at); !granted.ok()) return granted;
  return bound;
}

ListeningSocket ListeningSocket::Adopt(std::string path, UniqueFd socket) {
  return {std::move(path), std::move(socket), /*adopted=*/true};
}

absl::Status ListeningSocket::FindPlace() {
  UniqueFd place(open(path_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!place.valid()) return absl::ErrnoToStatus(errno, path_);
  if (!LeadsTo(place.get(), get())) {
    return absl::AbortedError(
        absl::StrCat(path_, ": somebody else has replaced the socket, or there is no /proc"));
  }
  place_ = std::move(place);
  return absl::OkStatus();
}

absl::Status ListeningSocket::Grant(const ListenAt& at) const {
  if (adopted_) return absl::OkStatus();
  const int error =
      Give(place_.get(), at.owner.value_or(geteuid()), at.group.value_or(getegid()), at.mode);
  if (error == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(error, absl::StrCat("cannot give ", path_, " its owner and mode"));
}

bool ListeningSocket::HoldsPath() const {
  // Moved from, it holds nothing.
  if (adopted_) return socket_.valid();
  struct stat mine;
  struct stat there;
  return place_.valid() && fstat(place_.get(), &mine) == 0 && lstat(path_.c_str(), &there) == 0 &&
         mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

ListeningSocket::~ListeningSocket() {
  if (!adopted_ && HoldsPath()) unlink(path_.c_str());
}

}  // namespace sockgate
