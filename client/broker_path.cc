#include "client/broker_path.h"

#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proto/endpoint.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

constexpr std::chrono::milliseconds kPause(5);

absl::StatusOr<UniqueFd> MakeSocket() {
  UniqueFd channel(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!channel.valid() && (errno == EACCES || errno == EPERM)) {
    return absl::FailedPreconditionError(
        "this process may make no sockets, so it cannot connect to a path: have its launcher do it "
        "(launch::ChannelSource)");
  }
  if (!channel.valid()) return absl::ErrnoToStatus(errno, "cannot make a socket");
  return channel;
}

// 0 or an errno.
int Reach(int channel, const Endpoint& endpoint, std::chrono::steady_clock::time_point give_up) {
  sockaddr_storage address;
  const socklen_t length = endpoint.ToSockaddr(&address);
  while (connect(channel, reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    // The broker lets no more wait, and nothing tells when it does.
    if (errno != EAGAIN || std::chrono::steady_clock::now() >= give_up) return errno;
    std::this_thread::sleep_for(kPause);
  }
  return 0;
}

}  // namespace

absl::StatusOr<UniqueFd> ConnectToBroker(const std::string& path,
                                         std::chrono::steady_clock::time_point give_up) {
  const auto endpoint = Endpoint::Unix(path);
  if (!endpoint.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' cannot be a socket's path"));
  }
  absl::StatusOr<UniqueFd> channel = MakeSocket();
  if (!channel.ok()) return channel;
  if (const int error = Reach(channel->get(), *endpoint, give_up)) {
    return absl::ErrnoToStatus(error, absl::StrCat("cannot reach the broker at ", path));
  }
  if (!PrepareWorkerEnd(channel->get())) return absl::ErrnoToStatus(errno, "cannot set a timeout");
  return channel;
}

}  // namespace sockgate
