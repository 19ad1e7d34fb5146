// One side dies or misbehaves in the middle of something; the other side says so, and nobody else
// notices.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/channel.h"
#include "proto/codec.h"
#include "proto/packet_socket.h"
#include "tests/client/launch/forked.h"
#include "tests/integration/confined.h"
#include "tests/integration/faulty_worker.h"
#include "tests/integration/pipe_text.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"
#include "tests/support/process_stats.h"
#include "tests/support/test_namespace.h"

namespace sockgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

ConnectRequest ToBlackHole(ConnectMode mode, uint32_t deadline_ms) {
  ConnectRequest request;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse(kBlackHoleV4), 80);
  request.mode = mode;
  request.deadline_ms = deadline_ms;
  return request;
}

// A healthy worker's fetch through the same broker.
std::string HealthyFetch(BrokerProcess& broker, const ServerProcess& server) {
  return RunConfined(broker, [&](BrokerClient& client) {
    CurlAdapter adapter(&client, {});
    return Perform(adapter, server.Url("/status/204")).ToString();
  });
}

constexpr char kHealthy[] = "code 0 status 204 body ";

TEST(Failure, ABrokerKilledInMidRequestIsAnErrorAtOnce) {
  BrokerProcess broker = StartBroker({"203.0.113.0/24:*"});
  ConfinedRun run(broker, [](BrokerClient& client) {
    const auto begun = steady_clock::now();
    const ConnectResult result = client.Connect(ToBlackHole(ConnectMode::kConnected, 60000));
    const bool soon = steady_clock::now() - begun < milliseconds(5000);
    const ConnectResult again = client.Connect(ToBlackHole(ConnectMode::kConnected, 60000));
    return absl::StrCat(soon ? "soon: " : "late: ", result.error.ToString(), "; ",
                        again.error.ToString());
  });
  std::this_thread::sleep_for(milliseconds(300));
  kill(broker.pid(), SIGKILL);
  EXPECT_EQ(run.Text(),
            "soon: the broker has gone or closed the channel (its audit log says why); "
            "the broker has gone or closed the channel (its audit log says why)");
}

TEST(Failure, ABrokerKilledLeavesTransfersAlone) {
  ServerProcess server({});
  BrokerProcess broker = StartBroker({"127.0.0.1:*"});
  ConfinedRun run(broker, [&](BrokerClient& client) {
    CurlAdapter adapter(&client, {});
    return Perform(adapter, server.Url("/slow/800")).ToString();
  });
  std::this_thread::sleep_for(milliseconds(300));
  kill(broker.pid(), SIGKILL);
  EXPECT_TRUE(absl::StartsWith(run.Text(), "code 0 status 200"));
}

TEST(Failure, AStoppedBrokerIsNoHang) {
  BrokerProcess broker = StartBroker({"203.0.113.0/24:*"});
  ConfinedRun run(broker, [](BrokerClient& client) {
    const auto first = client.Connect(ToBlackHole(ConnectMode::kInProgress, 500));
    std::this_thread::sleep_for(milliseconds(700));
    const auto begun = steady_clock::now();
    const ConnectResult result = client.Connect(ToBlackHole(ConnectMode::kInProgress, 500));
    const auto took = steady_clock::now() - begun;
    return absl::StrCat(first.error.ok() ? "" : "failed early, ",
                        took < milliseconds(4000) ? "" : "late, ", result.error.ToString());
  });
  std::this_thread::sleep_for(milliseconds(300));
  kill(broker.pid(), SIGSTOP);
  EXPECT_EQ(run.Text(), "the broker did not answer in time");
  kill(broker.pid(), SIGCONT);
}

TEST(Failure, AWorkerKilledInMidRequestLeavesNothingBehind) {
  ServerProcess server({});
  BrokerProcess broker = StartBroker({"203.0.113.0/24:*", "127.0.0.1:*"});
  EXPECT_EQ(HealthyFetch(broker, server), kHealthy);
  const size_t before = FdsAtRest(broker.pid());
  for (const ConnectMode mode : {ConnectMode::kConnected, ConnectMode::kInProgress}) {
    ConfinedRun run(broker, [mode](BrokerClient& client) {
      std::vector<ConnectResult> held;
      for (int i = 0; i < 10; ++i) held.push_back(client.Connect(ToBlackHole(mode, 60000)));
      std::this_thread::sleep_for(std::chrono::seconds(30));
      return std::string();
    });
    std::this_thread::sleep_for(milliseconds(300));
    EXPECT_GT(OpenFdCount(broker.pid()).value(), before);
    run.worker().Kill();
    EXPECT_TRUE(absl::StrContains(run.Text(), "[signal 9]"));
    EXPECT_EQ(SettledFds(broker.pid(), before), before);
    EXPECT_EQ(HealthyFetch(broker, server), kHealthy);
  }
}

// What a hostile worker does with its raw channel, and whether the broker closed it.
std::string AfterSending(BrokerProcess& broker, const std::vector<std::string>& packets) {
  auto channel = broker.AddWorker("test");
  for (const std::string& packet : packets) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(packet.data());
    if (SendPacket(channel->get(), absl::MakeConstSpan(bytes, packet.size()), -1, Wait::kYes)
            .status != PacketStatus::kOk) {
      return "closed";
    }
  }
  std::array<uint8_t, kMaxPacketBytes> reply;
  for (int i = 0; i < 50; ++i) {
    const Received received =
        ReceivePacket(channel->get(), absl::MakeSpan(reply), Accept::kOneDescriptor, Wait::kYes);
    if (received.status == PacketStatus::kClosed) return "closed";
    if (received.status == PacketStatus::kOk) return "answered";
  }
  return "ignored";
}

const std::string kHello("\1\0\0\0\1\0\0\0SGAT\1\0\1\0\0\0\0\0", 20);

TEST(Hostile, GarbageClosesTheSendersChannelOnlyAndIsLogged) {
  ServerProcess server({});
  Pipe audit;
  BrokerProcess broker = StartBroker({"127.0.0.1:*"}, std::move(audit.writer));
  EXPECT_EQ(AfterSending(broker, {kHello}), "answered");
  EXPECT_EQ(AfterSending(broker, {"garbage"}), "closed");
  EXPECT_EQ(AfterSending(broker, {std::string(2000, '\0')}), "closed");
  EXPECT_EQ(AfterSending(broker, {std::string()}), "closed");
  EXPECT_EQ(HealthyFetch(broker, server), kHealthy);
  broker.Stop();
  const std::string log = ReadAll(audit.reader.get());
  EXPECT_TRUE(absl::StrContains(log, R"("change":"violation","detail":"header")")) << log;
  EXPECT_TRUE(absl::StrContains(log, R"("change":"violation","detail":"packet too long")")) << log;
}

TEST(Hostile, DescriptorsSentToTheBrokerAreNotTaken) {
  ServerProcess server({});
  BrokerProcess broker = StartBroker({"127.0.0.1:*"});
  const size_t before = FdsAtRest(broker.pid());
  auto channel = broker.AddWorker("test");
  ASSERT_TRUE(channel.ok());
  const auto* bytes = reinterpret_cast<const uint8_t*>(kHello.data());
  for (int i = 0; i < 100; ++i) {
    SendPacket(channel->get(), absl::MakeConstSpan(bytes, kHello.size()), STDIN_FILENO, Wait::kNo);
  }
  EXPECT_LE(OpenFdCount(broker.pid()).value(), before + 1);
  EXPECT_EQ(HealthyFetch(broker, server), kHealthy);
  channel->Reset();
  EXPECT_EQ(SettledFds(broker.pid(), before), before);
}

// Descriptors in flight are limited for all channels of the broker's user together, and root is
// exempt, so this broker is an ordinary user's. One worker takes every channel that it may have and
// reads none of their replies.
std::string HealthyBesideManyUnreadChannels(uint16_t port) {
  const rlimit limit = {1024, 1024};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return "no limit";
  if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return "still root";
  BrokerProcess broker = StartBroker({"127.0.0.1:*"});
  auto hostile = BrokerClient::FromDescriptor(*broker.AddWorker("test"));
  auto healthy = BrokerClient::FromDescriptor(*broker.AddWorker("test"));
  if (!hostile.ok() || !healthy.ok()) return "no client";
  ConnectRequest request;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), port);
  request.deadline_ms = 5000;

  std::vector<UniqueFd> channels;
  Channel root(std::move(*broker.AddWorker("test")));
  Reply reply;
  UniqueFd minted;
  root.Call(Hello(), milliseconds(1000), &reply, &minted);
  while (root.Call(OpenChannelRequest(), milliseconds(1000), &reply, &minted) ==
             ConnectError::Kind::kNone &&
         minted.valid()) {
    channels.push_back(std::move(minted));
  }
  std::array<uint8_t, kMaxPacketBytes> packet;
  for (uint32_t id = 1; id <= 200; ++id) {
    const size_t size = EncodeRequest({id, request}, absl::MakeSpan(packet));
    for (const UniqueFd& channel : channels) {
      SendPacket(channel.get(), absl::MakeConstSpan(packet.data(), size), -1, Wait::kNo);
    }
  }
  return absl::StrCat(channels.size(), " channels, ",
                      (*healthy)->Connect(request).error.ToString());
}

TEST(Hostile, AWorkerWithManyUnreadChannelsHurtsItselfOnly) {
  ServerProcess server({});
  Pipe pipe;
  EXPECT_EQ(launch::RunForked([&] {
              WriteAll(pipe.writer.get(), HealthyBesideManyUnreadChannels(server.port()));
              return 0;
            }),
            launch::Exited(0));
  pipe.writer.Reset();
  EXPECT_EQ(ReadAll(pipe.reader.get()), "31 channels, no error");
}

TEST(Hostile, AWorkerThatNeverReadsHurtsItselfOnly) {
  ServerProcess server({});
  BrokerProcess broker = StartBroker({"127.0.0.1:*"});
  const size_t before = FdsAtRest(broker.pid());
  auto channel = broker.AddWorker("test");
  ASSERT_TRUE(channel.ok());
  // Hello, and then as many requests to connect as the kernel takes, for a second.
  uint32_t id = 1;
  std::string packet = kHello;
  const auto until = steady_clock::now() + std::chrono::seconds(1);
  while (steady_clock::now() < until) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(packet.data());
    const Sent sent =
        SendPacket(channel->get(), absl::MakeConstSpan(bytes, packet.size()), -1, Wait::kNo);
    ASSERT_NE(sent.status, PacketStatus::kClosed);
    if (sent.status != PacketStatus::kOk) continue;
    ++id;
    packet.assign("\2\0\0\0\0\0\0\0\1\1\1\0\x10\x27\0\0\1\0\0\0\0\0\0\0\x7f\0\0\1", 28);
    packet.append(12, '\0');
    for (int i = 0; i < 4; ++i) packet[4 + i] = static_cast<char>(id >> (8 * i));
    packet[18] = static_cast<char>(server.port());
    packet[19] = static_cast<char>(server.port() >> 8);
  }
  EXPECT_GT(id, 80U);
  // Replies wait in the kernel and a few in the broker; the broker has stopped reading.
  EXPECT_LT(OpenFdCount(broker.pid()).value(), before + 20);
  EXPECT_EQ(HealthyFetch(broker, server), kHealthy);
  channel->Reset();
  EXPECT_EQ(SettledFds(broker.pid(), before), before);
}

}  // namespace
}  // namespace sockgate::testing
