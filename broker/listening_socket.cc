#include "broker/listening_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "broker/path_failure.h"
#include "broker/peer_check.h"
#include "confine/folders.h"
#include "proto/endpoint.h"

namespace sockgate {
namespace {

constexpr int kBacklog = ListeningSocket::kMaxWaiting - 1;
constexpr int kType = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

std::string WhoListens(int probe) {
  const pid_t pid = IdentityOf(probe).pid;
  if (pid == getpid()) return "this broker listens there already: give each its own path";
  return absl::StrCat("another broker listens there (process ", pid,
                      "): stop it, or name another path");
}

// Why the path stays whose it is. Empty: it is a socket that refuses connections, as one does whose
// broker was killed. A file of any other kind "refuses" them too.
std::string WhyTaken(const std::string& path, const sockaddr* address, socklen_t length) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return "somebody makes and removes it: try again";
  if (!S_ISSOCK(status.st_mode)) return "what is there is no socket: name another path";
  const UniqueFd probe(socket(AF_UNIX, kType, 0));
  if (!probe.valid())
    return absl::StrCat("whether somebody listens there is not to be told: ", strerror(errno));
  if (connect(probe.get(), address, length) == 0) return WhoListens(probe.get());
  if (errno == ECONNREFUSED) return "";
  if (errno == EAGAIN) return "another broker listens there: stop it, or name another path";
  return absl::StrCat("there is a socket of ", UserText(status.st_uid),
                      " already: stop whoever listens on it and remove it, or name another path");
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
  const std::string folder = confine::FolderOf(path);
  if (stat(folder.c_str(), &status) != 0) return PathError(errno, cannot, path);
  if (!S_ISDIR(status.st_mode)) return PathError(ENOTDIR, cannot, path);
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    return absl::FailedPreconditionError(absl::StrCat(
        cannot, ": its folder belongs to ", UserText(status.st_uid),
        ", who is neither root nor the broker's user: name a folder of ", UserText(geteuid())));
  }
  if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(cannot, ": all users may write to its folder, which is not sticky: chmod o-w ",
                     folder, ", or name another folder"));
  }
  return absl::OkStatus();
}

// What `address` says, bound to the path: also where an abandoned socket lies.
absl::Status BindTo(const std::string& path, int socket, const sockaddr* address,
                    socklen_t length) {
  const std::string cannot = absl::StrCat("cannot listen on ", path);
  int error = BindOwnerOnly(socket, address, length);
  if (error == EADDRINUSE) {
    const std::string why = WhyTaken(path, address, length);
    if (!why.empty()) return absl::AlreadyExistsError(absl::StrCat(cannot, ": ", why));
    if (unlink(path.c_str()) != 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat(cannot,
                                                     ": the abandoned socket there cannot "
                                                     "be removed from its folder"));
    }
    error = BindOwnerOnly(socket, address, length);
  }
  return error == 0 ? absl::OkStatus() : PathError(error, cannot, path);
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
  if (!endpoint.has_value() || at.path[0] == '\0') return NoSocketPath(at.path);
  if (absl::Status folder = CheckFolder(at.path); !folder.ok()) return folder;
  sockaddr_storage storage;
  const socklen_t length = endpoint->ToSockaddr(&storage);
  const auto* address = reinterpret_cast<const sockaddr*>(&storage);

  UniqueFd socket(::socket(AF_UNIX, kType, 0));
  const std::string cannot = absl::StrCat("cannot listen on ", at.path);
  if (!socket.valid()) return absl::ErrnoToStatus(errno, cannot);
  if (absl::Status status = BindTo(at.path, socket.get(), address, length); !status.ok()) {
    return status;
  }
  if (listen(socket.get(), kBacklog) != 0) return absl::ErrnoToStatus(errno, cannot);
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
  if (!place.valid()) return absl::ErrnoToStatus(errno, absl::StrCat("cannot find ", path_));
  if (!LeadsTo(place.get(), get())) {
    return absl::AbortedError(absl::StrCat(
        path_, ": somebody else has replaced the socket, or there is no /proc: mount it"));
  }
  place_ = std::move(place);
  return absl::OkStatus();
}

absl::Status ListeningSocket::Grant(const ListenAt& at) const {
  if (adopted_) return absl::OkStatus();
  const int error =
      Give(place_.get(), at.owner.value_or(geteuid()), at.group.value_or(getegid()), at.mode);
  if (error == 0) return absl::OkStatus();
  const char* const advice =
      error == EPERM ? "; only a broker that root starts may give it to others" : "";
  return absl::ErrnoToStatus(error,
                             absl::StrCat("cannot give ", path_, " its owner and mode", advice));
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
