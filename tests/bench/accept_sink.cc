#include "tests/bench/accept_sink.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::bench {
namespace {

constexpr int kBacklog = 1024;
constexpr size_t kFirstHost = 2;  // of 127.0.0.0/24
constexpr size_t kKept = 256;     // connections

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

UniqueFd Accept(int listener) {
  return UniqueFd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
}

// Keeps the youngest connections open: one that is closed while its client still looks at it would
// look refused.
void AcceptForGood(const std::vector<UniqueFd>& listeners) {
  std::array<UniqueFd, kKept> kept;
  size_t taken = 0;
  std::vector<pollfd> entries;
  entries.reserve(listeners.size());
  for (const UniqueFd& listener : listeners) entries.push_back({listener.get(), POLLIN, 0});
  while (poll(entries.data(), entries.size(), -1) > 0) {
    for (const pollfd& entry : entries) {
      if (entry.revents != 0) kept[taken++ % kKept] = Accept(entry.fd);
    }
  }
}

}  // namespace

absl::StatusOr<AcceptSink> AcceptSink::Listen(size_t addresses, Acceptor acceptor) {
  AcceptSink sink;
  for (size_t i = 0; i < addresses; ++i) {
    auto listener = testing::ListenTcp(absl::StrCat("127.0.0.", kFirstHost + i), 0, kBacklog);
    if (!listener.ok()) return listener.status();
    const auto target = TargetOf(*listener);
    if (!target.has_value()) return absl::InternalError("a listener without an address");
    sink.targets_.push_back(*target);
    sink.listeners_.push_back(*std::move(listener));
  }
  if (acceptor == Acceptor::kLater) return sink;
  auto process = ChildProcess::Start([&sink](int /*control*/) { AcceptForGood(sink.listeners_); });
  if (!process.ok()) return process.status();
  sink.process_ = *std::move(process);
  return sink;
}

void AcceptSink::Drain() const {
  if (process_.has_value()) return;
  for (const UniqueFd& listener : listeners_) {
    while (true) {
      UniqueFd accepted = Accept(listener.get());
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
