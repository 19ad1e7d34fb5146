// After very many connects and very many workers the broker is as it was.

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/confined.h"
#include "tests/integration/server_process.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/process_stats.h"

namespace sockgate::testing {
namespace {

// Spread over so many destinations that 100,000 connections in a row leave ports to spare.
constexpr int kDestinations = 200;
constexpr int kThreads = 4;

// How much the resident memory may differ: a few pages of allocator slack, not a byte for each of
// 100,000 connects.
constexpr size_t kSlackBytes = 512 * 1024;

// Connects `count` times, in both modes in turn, and says how many failed.
int ConnectMany(BrokerClient& client, uint16_t port, int count) {
  int failed = 0;
  for (int i = 0; i < count; ++i) {
    ConnectRequest request;
    const auto last = static_cast<uint8_t>(1 + i % kDestinations);
    request.endpoint = Endpoint::Ip(IpAddress::V4({127, 0, 1, last}), port);
    request.mode = i % 2 == 0 ? ConnectMode::kConnected : ConnectMode::kInProgress;
    request.deadline_ms = 10000;
    const ConnectResult result = client.Connect(request);
    failed += result.error.ok() ? 0 : 1;
  }
  return failed;
}

std::string ConnectManyInThreads(BrokerClient& client, uint16_t port, int count) {
  std::vector<std::thread> threads;
  std::vector<int> failed(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] { failed[t] = ConnectMany(client, port, count / kThreads); });
  }
  int sum = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads[t].join();
    sum += failed[t];
  }
  return absl::StrCat(sum, " failed");
}

struct Footprint {
  size_t descriptors;
  size_t bytes;
};

// Once the broker has seen to everything: its last channel is the launcher's control socket.
Footprint Measure(const BrokerProcess& broker) {
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  return {OpenFdCount(broker.pid()).value(), ResidentBytes(broker.pid()).value()};
}

TEST(Soak, AHundredThousandConnectsLeaveNothingBehind) {
  LoopbackServer::Options options;
  options.address = "0.0.0.0";
  ServerProcess server(options);
  BrokerProcess broker = StartBroker({"127.0.0.0/8:*"});
  const auto connect = [&](int count) {
    return RunConfined(broker, [&](BrokerClient& client) {
      return ConnectManyInThreads(client, server.port(), count);
    });
  };
  EXPECT_EQ(connect(2000), "0 failed");
  const Footprint before = Measure(broker);
  EXPECT_EQ(connect(100000), "0 failed");
  const Footprint after = Measure(broker);
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_LE(after.bytes, before.bytes + kSlackBytes);
}

TEST(Soak, AThousandWorkersStartedAndKilledLeaveNothingBehind) {
  const auto silent = SilentListener::Listen();
  ASSERT_TRUE(silent.ok());
  BrokerProcess broker = StartBroker({"127.0.0.0/8:*"});
  const auto start_and_kill = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ConfinedRun run(broker, [&](BrokerClient& client) {
        ConnectMany(client, silent->port(), 1000000);
        return std::string();
      });
      run.worker().Kill();
    }
  };
  // What the first ones make the broker touch, its own code above all, does not go away again.
  start_and_kill(500);
  const Footprint before = Measure(broker);
  start_and_kill(1000);
  const Footprint after = Measure(broker);
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_LE(after.bytes, before.bytes + kSlackBytes);
}

}  // namespace
}  // namespace sockgate::testing
