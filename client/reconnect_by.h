// ReconnectBy: how a client comes by a channel to the broker that runs once the one before has
// gone.
//
//   BrokerClient::FromDescriptor(std::move(channel), ReconnectBy::Source(std::move(source)));
//
// Process: worker. Owns the source's descriptor. Threads: one at a time; blocks until the `give_up`
// that it is told.

#ifndef SOCKGATE_CLIENT_RECONNECT_BY_H_
#define SOCKGATE_CLIENT_RECONNECT_BY_H_

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/channel_asker.h"
#include "proto/unique_fd.h"

namespace sockgate {

class ReconnectBy {
 public:
  // Not at all: the client ends with its broker.
  static ReconnectBy Nothing() { return {}; }

  // By connecting to the path. For a process that may call socket(2) and connect(2), so not under
  // the fetcher profile.
  static ReconnectBy Path(std::string path);

  // By asking the launcher: the worker's end of a launch::ChannelSource. For confined workers.
  static ReconnectBy Source(UniqueFd source);

  bool possible() const { return way_ != Way::kNone; }

  // InvalidArgument: the source's descriptor is no SOCK_SEQPACKET socket. Before confinement if the
  // launcher has not prepared it, as a ChannelSource does.
  absl::Status Prepare() const;

  // The worker's end of a new channel. FailedPrecondition: it will never work again; other errors
  // may pass.
  absl::StatusOr<UniqueFd> Channel(std::chrono::steady_clock::time_point give_up);

 private:
  enum class Way { kNone, kPath, kSource };

  Way way_ = Way::kNone;
  std::string path_;
  ChannelAsker asker_;
};

// InvalidArgument where the descriptor is no SOCK_SEQPACKET socket. Sets its timeouts where it has
// none.
absl::Status PreparePacketSocket(int descriptor);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_RECONNECT_BY_H_
