#include "tests/bench/connect_ways.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "proto/messages.h"

namespace sockgate::bench {
namespace {

constexpr int kPatienceMs = 5000;

// Long enough for the broker to have connected.
constexpr std::chrono::microseconds kMeanwhile(200);

int ConnectTo(const UniqueFd& socket, const Target& target) {
  const auto* address = reinterpret_cast<const sockaddr*>(&target.address);
  return connect(socket.get(), address, sizeof(target.address));
}

// What libcurl does with a socket whose handshake goes on.
UniqueFd WhenUsable(UniqueFd socket) {
  pollfd entry = {socket.get(), POLLOUT, 0};
  if (poll(&entry, 1, kPatienceMs) != 1) return {};
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return {};
  return error == 0 ? std::move(socket) : UniqueFd();
}

UniqueFd PlainBlocking(const Target& target) {
  UniqueFd made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ConnectTo(made, target) == 0 ? std::move(made) : UniqueFd();
}

UniqueFd PlainNonBlocking(const Target& target) {
  UniqueFd made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (ConnectTo(made, target) == 0) return made;
  return errno == EINPROGRESS ? WhenUsable(std::move(made)) : UniqueFd();
}

ConnectRequest RequestFor(ConnectMode mode, const Target& target) {
  ConnectRequest request;
  request.mode = mode;
  request.purpose = Purpose::kDirect;
  request.deadline_ms = kPatienceMs;
  request.endpoint = target.endpoint;
  return request;
}

// The broker's reply waits in the channel then, where Connect() has to take it from.
void Prepare(BrokerClient* client, ConnectMode mode, const Target& target) {
  AheadTarget ahead;
  ahead.request = RequestFor(mode, target);
  client->Preconnect(ahead, 1);
  std::this_thread::sleep_for(kMeanwhile);
}

UniqueFd Brokered(BrokerClient* client, ConnectMode mode, const Target& target) {
  ConnectResult result = client->Connect(RequestFor(mode, target));
  if (!result.error.ok()) return {};
  return mode == ConnectMode::kConnected ? std::move(result.socket)
                                         : WhenUsable(std::move(result.socket));
}

}  // namespace

std::vector<ConnectWay> BrokeredWays(BrokerClient* client, pid_t broker_pid) {
  const auto brokered = [client](ConnectMode mode) {
    return [client, mode](const Target& target) { return Brokered(client, mode, target); };
  };
  const auto prepared = [client](ConnectMode mode) {
    return [client, mode](const Target& target) { Prepare(client, mode, target); };
  };
  constexpr ConnectMode kConnected = ConnectMode::kConnected;
  constexpr ConnectMode kInProgress = ConnectMode::kInProgress;
  return {
      {"sockgate, connected", brokered(kConnected), broker_pid, {}},
      {"sockgate, in progress", brokered(kInProgress), broker_pid, {}},
      {"sockgate, connected, prepared", brokered(kConnected), broker_pid, prepared(kConnected)},
      {"sockgate, in progress, prepared", brokered(kInProgress), broker_pid, prepared(kInProgress)},
  };
}

std::vector<ConnectWay> AllConnectWays(const BareBroker* bare, BrokerClient* client,
                                       pid_t broker_pid) {
  std::vector<ConnectWay> ways = {
      {"plain, blocking", PlainBlocking, 0, {}},
      {"plain, non-blocking + poll", PlainNonBlocking, 0, {}},
      {"bare broker",
       [bare](const Target& target) { return bare->Connect(target.address); },
       bare->pid(),
       {}},
  };
  for (ConnectWay& way : BrokeredWays(client, broker_pid)) ways.push_back(std::move(way));
  return ways;
}

}  // namespace sockgate::bench
