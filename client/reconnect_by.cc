#include "client/reconnect_by.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/broker_path.h"
#include "proto/packet_socket.h"

namespace sockgate {

ReconnectBy ReconnectBy::Path(std::string path) {
  ReconnectBy by;
  by.way_ = Way::kPath;
  by.path_ = std::move(path);
  return by;
}

ReconnectBy ReconnectBy::Source(UniqueFd source) {
  ReconnectBy by;
  by.way_ = Way::kSource;
  by.asker_ = ChannelAsker(std::move(source));
  return by;
}

absl::Status ReconnectBy::Prepare() const {
  return way_ == Way::kSource ? PreparePacketSocket(asker_.descriptor()) : absl::OkStatus();
}

absl::StatusOr<UniqueFd> ReconnectBy::Channel(std::chrono::steady_clock::time_point give_up) {
  if (way_ == Way::kPath) return ConnectToBroker(path_, give_up);
  absl::StatusOr<UniqueFd> channel = asker_.Ask(give_up);
  if (!channel.ok()) return channel;
  // A launcher's mistake may be another one's next time.
  if (absl::Status status = PreparePacketSocket(channel->get()); !status.ok()) return status;
  return channel;
}

absl::Status PreparePacketSocket(int descriptor) {
  int type = 0;
  socklen_t length = sizeof(type);
  if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_SEQPACKET) {
    return absl::InvalidArgumentError(
        absl::StrCat("descriptor ", descriptor, " is not a SOCK_SEQPACKET socket"));
  }
  if (!PrepareWorkerEnd(descriptor)) return absl::ErrnoToStatus(errno, "cannot set a timeout");
  return absl::OkStatus();
}

}  // namespace sockgate
