#include "broker/service_notify.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "broker/taken_variable.h"
#include "proto/endpoint.h"

namespace sockgate {
namespace {

constexpr std::chrono::milliseconds kNever{0};

// A path, or an abstract name that is written with an '@'.
std::optional<Endpoint> SocketNamed(std::string name) {
  if (name[0] == '@') {
    name[0] = '\0';
  } else if (name[0] != '/') {
    return std::nullopt;
  }
  return Endpoint::Unix(std::move(name));
}

absl::StatusOr<UniqueFd> ConnectTo(const std::string& name) {
  const auto endpoint = SocketNamed(name);
  if (!endpoint.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("NOTIFY_SOCKET: '", name, "' is neither a path nor an abstract name"));
  }
  sockaddr_storage address;
  const socklen_t length = endpoint->ToSockaddr(&address);
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid() ||
      connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("NOTIFY_SOCKET: ", name));
  }
  return socket;
}

// Half of what the manager allows, so that one beat may come late.
absl::StatusOr<std::chrono::microseconds> BeatPeriod(const std::string& allowed,
                                                     const std::string& pid) {
  if (allowed.empty()) return std::chrono::microseconds(0);
  pid_t meant = 0;
  if (!pid.empty() && !absl::SimpleAtoi(pid, &meant)) {
    return absl::InvalidArgumentError(absl::StrCat("WATCHDOG_PID: '", pid, "' is no process"));
  }
  if (!pid.empty() && meant != getpid()) return std::chrono::microseconds(0);
  int64_t usec = 0;
  // A year, so that no clock overflows.
  constexpr int64_t kMost = int64_t{366} * 24 * 3600 * 1'000'000;
  if (!absl::SimpleAtoi(allowed, &usec) || usec < 2 || usec > kMost) {
    return absl::InvalidArgumentError(
        absl::StrCat("WATCHDOG_USEC: '", allowed, "' is no number of microseconds"));
  }
  return std::chrono::microseconds(usec / 2);
}

int64_t MonotonicMicroseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

absl::StatusOr<ServiceNotify> ServiceNotify::FromEnvironment() {
  const std::string name = TakeVariable("NOTIFY_SOCKET");
  const std::string allowed = TakeVariable("WATCHDOG_USEC");
  const std::string pid = TakeVariable("WATCHDOG_PID");
  ServiceNotify notify;
  if (name.empty()) return notify;
  auto socket = ConnectTo(name);
  if (!socket.ok()) return socket.status();
  const auto period = BeatPeriod(allowed, pid);
  if (!period.ok()) return period.status();
  notify.socket_ = *std::move(socket);
  notify.beat_period_ = *period;
  return notify;
}

void ServiceNotify::Ready(absl::string_view status) const {
  Send(absl::StrCat("READY=1\nMAINPID=", getpid(), "\nSTATUS=", status), kPatience);
}

void ServiceNotify::Reloading() const {
  Send(absl::StrCat("RELOADING=1\nMONOTONIC_USEC=", MonotonicMicroseconds()), kPatience);
}

void ServiceNotify::Stopping() const { Send("STOPPING=1", kPatience); }

void ServiceNotify::Status(absl::string_view status) const {
  Send(absl::StrCat("STATUS=", status), kNever);
}

void ServiceNotify::Beat() const { Send("WATCHDOG=1", kNever); }

void ServiceNotify::Send(absl::string_view text, std::chrono::milliseconds patience) const {
  if (!socket_.valid()) return;
  const auto until = std::chrono::steady_clock::now() + patience;
  while (send(socket_.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    if (errno != EAGAIN && errno != EINTR) return;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= kNever) return;
    pollfd entry = {socket_.get(), POLLOUT, 0};
    poll(&entry, 1, static_cast<int>(left.count()));
  }
}

}  // namespace sockgate
