// AskedAheadWorld: a client against a broker that says what the test wants said. Its first channel
// mints; all that is asked ahead comes by the second, the line.

#ifndef SOCKGATE_TESTS_CLIENT_ASKED_AHEAD_WORLD_H_
#define SOCKGATE_TESTS_CLIENT_ASKED_AHEAD_WORLD_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "client/asked_ahead.h"
#include "client/broker_client.h"
#include "tests/client/fake_broker.h"
#include "tests/client/fake_resolver.h"

namespace sockgate::testing {

inline constexpr ConnectMode kConnected = ConnectMode::kConnected;
inline constexpr ConnectMode kInProgress = ConnectMode::kInProgress;

inline ConnectRequest To(const std::string& literal, ConnectMode mode = kConnected,
                         uint16_t port = 443) {
  ConnectRequest request;
  request.mode = mode;
  request.deadline_ms = 10'000;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse(literal), port);
  return request;
}

inline AheadTarget Target(const std::string& literal, ConnectMode mode = kConnected) {
  AheadTarget target;
  target.request = To(literal, mode);
  return target;
}

inline AheadTarget Named(absl::string_view name, ConnectMode mode = kConnected) {
  AheadTarget target;
  target.request = To("0.0.0.0", mode);
  target.name = name;
  return target;
}

class AskedAheadWorld : public ::testing::Test {
 protected:
  AskedAheadWorld() { Meet(); }

  void Meet(uint16_t max_outstanding = 256) {
    first_ = FakeBroker();
    first_.Greet(kCapabilityResolve, max_outstanding);
    client_ = *BrokerClient::FromDescriptor(first_.TakeWorkerEnd());
    EXPECT_EQ(first_.NextRequest(), 1U);
    Mint(2, &line_);
  }

  // Answers the request for a channel that will come with this id.
  void Mint(uint32_t id, FakeBroker* channel) {
    *channel = FakeBroker();
    OpenChannelReply opened;
    opened.result.outcome = Outcome::kOpened;
    const UniqueFd end = channel->TakeWorkerEnd();
    first_.Reply(id, opened, end.get());
  }

  // Where the next request on the line goes: "192.0.2.1:443", "a.test", "" for none.
  std::string Asked(int patience_ms = 0) {
    decltype(Request::body) body;
    if (line_.NextRequest(&body, patience_ms) == 0) return "";
    if (const auto* connect = std::get_if<ConnectRequest>(&body)) {
      return connect->endpoint.ToString();
    }
    return std::string{std::get<ResolveRequest>(body).name};
  }

  // A socket as the reply to request `id` of the line.
  Marked Give(uint32_t id, bool tracked = false) {
    Marked socket;
    ConnectReply reply = Saying(Outcome::kConnected);
    reply.tracked = tracked;
    line_.Reply(id, reply, socket.near_side.get());
    socket.LetGo();
    return socket;
  }

  std::string Counts() const {
    const AheadCounts counts = client_->ahead_counts();
    return "asked " + std::to_string(counts.asked) + " used " + std::to_string(counts.used) +
           " expired " + std::to_string(counts.expired) + " closed " +
           std::to_string(counts.closed) + " missed " + std::to_string(counts.missed);
  }

  FakeBroker first_;
  FakeBroker line_;
  std::unique_ptr<BrokerClient> client_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_CLIENT_ASKED_AHEAD_WORLD_H_
