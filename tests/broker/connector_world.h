// A Connector over a FakeNet, with an observer that keeps what it is told.
//
// The connector's loop runs in a LoopThread; everything here is to be touched within
// world.thread.Do(), or through the members below that do so themselves.

#ifndef SOCKGATE_TESTS_BROKER_CONNECTOR_WORLD_H_
#define SOCKGATE_TESTS_BROKER_CONNECTOR_WORLD_H_

#include <functional>
#include <memory>
#include <vector>

#include "broker/connector.h"
#include "tests/broker/fake_net.h"
#include "tests/broker/loop_thread.h"

namespace sockgate::testing {

inline constexpr ConnectMode kModes[] = {ConnectMode::kConnected, ConnectMode::kInProgress};

class ConnectorWorld : public ConnectObserver {
 public:
  struct Ending {
    Attempt attempt;
    Progress progress;
    int error;
    UniqueFd socket;
  };

  ConnectorWorld() : connector(std::make_unique<Connector>(thread.loop(), &net, this)) {}
  virtual ~ConnectorWorld() {
    thread.Do([this] { connector.reset(); });
  }

  // Of channel 1, to 192.0.2.1:443, with a deadline that no test reaches.
  Attempt MakeAttempt(ConnectMode mode, uint32_t request_id = 1) {
    Attempt attempt;
    attempt.worker = &worker;
    attempt.channel = 1;
    attempt.request_id = request_id;
    attempt.request.mode = mode;
    attempt.request.deadline_ms = 100'000;
    attempt.request.endpoint = Endpoint::Ip(IpAddress::V4({192, 0, 2, 1}), 443);
    attempt.begun = EventLoop::Now();
    return attempt;
  }

  Started Start(const Attempt& attempt) {
    Started started;
    thread.Do([&] { started = connector->Start(attempt, options); });
    return started;
  }

  // Waits until the observer has been told of `count` ends in all.
  bool AwaitEnds(size_t count) {
    return thread.Until([&] { return ends.size() >= count; });
  }

  void OnConnectEnd(const Attempt& attempt, Progress progress, int error,
                    UniqueFd socket) override {
    ends.push_back({attempt, progress, error, std::move(socket)});
    if (on_end) on_end(attempt);
  }

  FakeNet net;
  WorkerRecord worker;
  SocketOptions options;
  std::vector<Ending> ends;
  std::function<void(const Attempt&)> on_end;
  LoopThread thread;
  std::unique_ptr<Connector> connector;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_CONNECTOR_WORLD_H_
