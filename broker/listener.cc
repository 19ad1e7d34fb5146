#include "broker/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/endpoint.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

constexpr int kBacklog = 128;
constexpr std::chrono::milliseconds kRest(100);
constexpr int kType = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

// Whether the path is a socket that refuses connections, as one does whose broker was killed. A
// file of any other kind "refuses" them too.
bool IsAbandoned(const std::string& path, const sockaddr* address, socklen_t length) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const UniqueFd probe(socket(AF_UNIX, kType, 0));
  return connect(probe.get(), address, length) != 0 && errno == ECONNREFUSED;
}

int BindOwnerOnly(int socket, const sockaddr* address, socklen_t length) {
  const mode_t before = umask(0177);
  const int error = bind(socket, address, length) == 0 ? 0 : errno;
  umask(before);
  return error;
}

Peer PeerOf(int channel) {
  ucred credentials = {};
  socklen_t length = sizeof(credentials);
  Peer peer;
  if (getsockopt(channel, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0) {
    peer.pid = credentials.pid;
    peer.uid = credentials.uid;
  }
  return peer;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Create(const std::string& path,
                                                           const Role* role, EventLoop* loop,
                                                           Server* server) {
  const auto endpoint = Endpoint::Unix(path);
  if (!endpoint.has_value() || path[0] == '\0') {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' cannot be a socket's path: 1 to 107 bytes"));
  }
  sockaddr_storage storage;
  const socklen_t length = endpoint->ToSockaddr(&storage);
  const auto* address = reinterpret_cast<const sockaddr*>(&storage);

  UniqueFd socket(::socket(AF_UNIX, kType, 0));
  if (!socket.valid()) return absl::ErrnoToStatus(errno, "socket");
  int error = BindOwnerOnly(socket.get(), address, length);
  if (error == EADDRINUSE && IsAbandoned(path, address, length) && unlink(path.c_str()) == 0) {
    error = BindOwnerOnly(socket.get(), address, length);
  }
  if (error != 0) return absl::ErrnoToStatus(error, absl::StrCat("cannot listen on ", path));
  auto listener =
      std::unique_ptr<Listener>(new Listener(path, std::move(socket), role, loop, server));
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return absl::ErrnoToStatus(errno, path);
  listener->device_ = status.st_dev;
  listener->inode_ = status.st_ino;
  if (listen(listener->socket_.get(), kBacklog) != 0) return absl::ErrnoToStatus(errno, "listen");
  listener->watch_ = loop->Watch(listener->socket_.get(), EPOLLIN, listener.get(), 0);
  if (!listener->watch_.valid()) return absl::ErrnoToStatus(errno, "epoll_ctl");
  return listener;
}

Listener::~Listener() {
  loop_->Unwatch(&watch_);
  loop_->Cancel(&rest_);
  struct stat status;
  const bool ours =
      stat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
  if (ours) unlink(path_.c_str());
}

void Listener::OnEvent(uint64_t /*cookie*/, uint32_t /*epoll_events*/) {
  UniqueFd channel(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!channel.valid()) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) Rest();
    return;
  }
  PrepareBrokerEnd(channel.get());
  const Peer peer = PeerOf(channel.get());
  server_->AddWorker(std::move(channel), role_, peer);
}

void Listener::Rest() {
  loop_->Change(watch_, 0);
  rest_ = loop_->SetDeadline(EventLoop::Now() + kRest, this, 0);
}

void Listener::OnDeadline(uint64_t /*cookie*/) { loop_->Change(watch_, EPOLLIN); }

}  // namespace sockgate
