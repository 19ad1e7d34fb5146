#include "tests/support/tcp_socket.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <thread>
#include <utility>

namespace sockgate::testing {
namespace {

using Clock = std::chrono::steady_clock;

class SocketAddress {
 public:
  static std::optional<SocketAddress> Parse(const std::string& address, uint16_t port) {
    SocketAddress result;
    if (inet_pton(AF_INET, address.c_str(), &result.v4_.sin_addr) == 1) {
      result.v4_.sin_family = AF_INET;
      result.v4_.sin_port = htons(port);
      return result;
    }
    if (inet_pton(AF_INET6, address.c_str(), &result.v6_.sin6_addr) == 1) {
      result.v6_.sin6_family = AF_INET6;
      result.v6_.sin6_port = htons(port);
      return result;
    }
    return std::nullopt;
  }

  int family() const { return is_v4() ? AF_INET : AF_INET6; }
  const sockaddr* get() const {
    return is_v4() ? reinterpret_cast<const sockaddr*>(&v4_)
                   : reinterpret_cast<const sockaddr*>(&v6_);
  }
  socklen_t size() const { return is_v4() ? sizeof(v4_) : sizeof(v6_); }

 private:
  bool is_v4() const { return v4_.sin_family == AF_INET; }

  sockaddr_in v4_{};
  sockaddr_in6 v6_{};
};

UniqueFd NonBlockingSocket(int family) {
  return UniqueFd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
}

enum class Reuse { kNo, kYes };

absl::StatusOr<UniqueFd> Bind(const std::string& address, uint16_t port, Reuse reuse) {
  const auto parsed = SocketAddress::Parse(address, port);
  if (!parsed) return absl::InvalidArgumentError(absl::StrCat("no address literal: ", address));
  UniqueFd fd = NonBlockingSocket(parsed->family());
  if (!fd.valid()) return absl::ErrnoToStatus(errno, "socket");
  const int on = 1;
  if (reuse == Reuse::kYes &&
      setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) {
    return absl::ErrnoToStatus(errno, "SO_REUSEADDR");
  }
  if (bind(fd.get(), parsed->get(), parsed->size()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("bind ", JoinHostPort(address, port)));
  }
  return fd;
}

int SocketError(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

// 0 when the handshake succeeded, its errno when it failed, EINPROGRESS at the deadline.
int AwaitHandshake(int fd, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd ready{fd, POLLOUT, 0};
    const int count = poll(&ready, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (count > 0) return SocketError(fd);
    if (count == 0) return EINPROGRESS;
    if (errno != EINTR) return errno;
  }
}

int Connect(int fd, const SocketAddress& to, Clock::time_point deadline) {
  if (connect(fd, to.get(), to.size()) == 0) return 0;
  return errno == EINPROGRESS ? AwaitHandshake(fd, deadline) : errno;
}

}  // namespace

absl::StatusOr<UniqueFd> BindTcp(const std::string& address, uint16_t port) {
  return Bind(address, port, Reuse::kNo);
}

absl::StatusOr<UniqueFd> ListenTcp(const std::string& address, uint16_t port, int backlog) {
  auto fd = Bind(address, port, Reuse::kYes);
  if (fd.ok() && listen(fd->get(), backlog) != 0) return absl::ErrnoToStatus(errno, "listen");
  return fd;
}

absl::StatusOr<uint16_t> LocalPort(int fd) {
  sockaddr_in6 name{};  // the port sits at the same place for both families
  static_assert(offsetof(sockaddr_in6, sin6_port) == offsetof(sockaddr_in, sin_port));
  socklen_t size = sizeof(name);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    return absl::ErrnoToStatus(errno, "getsockname");
  }
  return ntohs(name.sin6_port);
}

std::string JoinHostPort(const std::string& address, uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return v6 ? absl::StrCat("[", address, "]:", port) : absl::StrCat(address, ":", port);
}

ConnectResult TryConnect(const std::string& address, uint16_t port,
                         std::chrono::milliseconds timeout) {
  ConnectResult result;
  const auto start = Clock::now();
  const auto to = SocketAddress::Parse(address, port);
  if (!to) {
    result.error = EINVAL;
    return result;
  }
  UniqueFd fd = NonBlockingSocket(to->family());
  result.error = fd.valid() ? Connect(fd.get(), *to, start + timeout) : errno;
  result.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  if (result.error == 0 && fcntl(fd.get(), F_SETFL, 0) != 0) result.error = errno;
  if (result.error == 0) result.fd = std::move(fd);
  return result;
}

bool AwaitListener(const std::string& address, uint16_t port) {
  constexpr std::chrono::milliseconds kPause(10);
  constexpr int kPauses = 1000;
  for (int i = 0; i < kPauses; ++i) {
    if (TryConnect(address, port, kPause).error == 0) return true;
    std::this_thread::sleep_for(kPause);
  }
  return false;
}

}  // namespace sockgate::testing
