#include "tests/bench/accept_sink.h"

#include <sys/socket.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::bench {
namespace {

constexpr int kBacklog = 1024;
constexpr size_t kFirstHost = 2;  // of 127.0.0.0/24

std::optional<Target> TargetOf(const UniqueFd& listener) {
  Target target = {};
  socklen_t length = sizeof(target.address);
  auto* address = reinterpret_cast<sockaddr*>(&target.address);
  if (getsockname(listener.get(), address, &length) != 0) return std::nullopt;
  const auto endpoint = Endpoint::FromSockaddr(address, length);
  if (!endpoint.has_value()) return std::nullopt;
  target.endpoint = *endpoint;
  return target;
}

}  // namespace

absl::StatusOr<AcceptSink> AcceptSink::Listen(size_t addresses) {
  AcceptSink sink;
  for (size_t i = 0; i < addresses; ++i) {
    auto listener = testing::ListenTcp(absl::StrCat("127.0.0.", kFirstHost + i), 0, kBacklog);
    if (!listener.ok()) return listener.status();
    const auto target = TargetOf(*listener);
    if (!target.has_value()) return absl::InternalError("a listener without an address");
    sink.targets_.push_back(*target);
    sink.listeners_.push_back(*std::move(listener));
  }
  return sink;
}

void AcceptSink::Drain() const {
  for (const UniqueFd& listener : listeners_) {
    while (true) {
      UniqueFd accepted(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!accepted.valid()) break;
      CloseAtOnce(std::move(accepted));
    }
  }
}

void CloseAtOnce(UniqueFd socket) {
  const linger at_once = {1, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

}  // namespace sockgate::bench
