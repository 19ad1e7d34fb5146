// BrokerClient: asks the broker for sockets, from any number of threads.
//
// Usage:
//   auto client = sockgate::BrokerClient::FromDescriptor(std::move(channel));
//   sockgate::ConnectRequest request;
//   request.endpoint = sockgate::Endpoint::Ip(*sockgate::IpAddress::Parse("192.0.2.1"), 443);
//   request.deadline_ms = 5000;
//   sockgate::ConnectResult result = (*client)->Connect(request);
//
// Process: worker. Making one may need socket(2), connect(2) or setsockopt(2), so make it before
// confinement where you can; Connect() works under the fetcher profile.
// Ownership: owns its channels. Sockets that it returned are the caller's; those that are connected
// outlive it and the broker, handshakes that still go on end with it.
// Threads: all members from any thread. Each call in progress has a channel of its own: one that is
// idle, or one that is minted then, which costs one more round trip the first time.
// fork(2): a child must not use its parent's client, since two processes on one channel get each
// other's sockets. In a child every call fails with kBrokerGone.

#ifndef SOCKGATE_CLIENT_BROKER_CLIENT_H_
#define SOCKGATE_CLIENT_BROKER_CLIENT_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/channel.h"
#include "client/connect_error.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate {

struct ConnectResult {
  ConnectError error;
  UniqueFd socket;       // non-blocking and close-on-exec; valid exactly when error.ok()
  bool started = false;  // the handshake may still go on: wait until writable, then read SO_ERROR
  uint32_t rule = 0;     // the rule that allowed it
};

class BrokerClient {
 public:
  // `channel` is the worker's end, from Broker::AddWorker(), BrokerProcess::AddWorker() or a
  // launcher.
  static absl::StatusOr<std::unique_ptr<BrokerClient>> FromDescriptor(UniqueFd channel);

  // Connects to the path that a broker listens on.
  static absl::StatusOr<std::unique_ptr<BrokerClient>> FromPath(const std::string& path);

  // Takes the descriptor whose number is in the environment variable SOCKGATE_CHANNEL, as
  // launch::Worker::Exec() leaves it, and removes the variable.
  static absl::StatusOr<std::unique_ptr<BrokerClient>> FromEnvironment();

  // Blocks until the broker answers: in connected mode for the handshake, in in-progress mode for
  // one local round trip. A broker that does not answer is waited for until two seconds after
  // request.deadline_ms, in in-progress mode for two seconds, and as long again where a channel has
  // to be minted first. deadline_ms is brought within 1 to kMaxDeadlineMs.
  ConnectResult Connect(ConnectRequest request);

 private:
  explicit BrokerClient(UniqueFd channel);

  absl::Status Greet();
  std::unique_ptr<Channel> TakeChannel(ConnectError* error);
  std::unique_ptr<Channel> Mint(ConnectError* error);
  void GiveBack(std::unique_ptr<Channel> channel);

  const uint32_t process_generation_;

  std::mutex mint_mutex_;
  Channel first_;  // only mints, so that a long connect never delays another thread; guarded by
                   // mint_mutex_

  std::mutex idle_mutex_;
  std::vector<std::unique_ptr<Channel>> idle_;  // guarded by idle_mutex_
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_BROKER_CLIENT_H_
