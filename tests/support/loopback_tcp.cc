#include "tests/support/loopback_tcp.h"

#include <absl/status/status.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "tests/support/tcp_socket.h"

namespace sockgate::testing {
namespace {

constexpr int kDeepBacklog = 4096;
constexpr int kMaxFillers =
    16;  // one is enough on Linux; more would mean that the queue never fills
constexpr std::chrono::milliseconds kFillPatience{150};

}  // namespace

absl::StatusOr<SilentListener> SilentListener::Listen(const std::string& address) {
  auto fd = ListenTcp(address, 0, kDeepBacklog);
  if (!fd.ok()) return fd.status();
  const auto port = LocalPort(fd->get());
  if (!port.ok()) return port.status();
  return SilentListener(*std::move(fd), *port);
}

absl::StatusOr<UniqueFd> SilentListener::Accept(std::chrono::milliseconds timeout) const {
  pollfd ready{fd_.get(), POLLIN, 0};
  const int count = poll(&ready, 1, static_cast<int>(timeout.count()));
  if (count < 0) return absl::ErrnoToStatus(errno, "poll");
  if (count == 0) return absl::DeadlineExceededError("nobody connected");
  UniqueFd accepted(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!accepted.valid()) return absl::ErrnoToStatus(errno, "accept4");
  return accepted;
}

absl::StatusOr<RefusingPort> RefusingPort::Reserve(const std::string& address) {
  auto fd = BindTcp(address, 0);
  if (!fd.ok()) return fd.status();
  const auto port = LocalPort(fd->get());
  if (!port.ok()) return port.status();
  return RefusingPort(*std::move(fd), *port);
}

absl::StatusOr<FullListener> FullListener::Fill(const std::string& address) {
  auto fd = ListenTcp(address, 0, 0);
  if (!fd.ok()) return fd.status();
  const auto port = LocalPort(fd->get());
  if (!port.ok()) return port.status();
  std::vector<UniqueFd> fillers;
  while (fillers.size() < kMaxFillers) {
    ConnectResult filler = TryConnect(address, *port, kFillPatience);
    if (filler.error == EINPROGRESS) return FullListener(*std::move(fd), *port, std::move(fillers));
    if (filler.error != 0) return absl::ErrnoToStatus(filler.error, "filling the queue");
    fillers.push_back(std::move(filler.fd));
  }
  return absl::UnavailableError("this kernel's accept queue does not fill up");
}

}  // namespace sockgate::testing
