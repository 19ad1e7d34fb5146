// A worker is killed at any step of the protocol: the broker has nothing left of it, and serves the
// next.

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <string>

#include "proto/check.h"
#include "proto/codec.h"
#include "proto/packet_socket.h"
#include "tests/integration/confined.h"
#include "tests/integration/faulty_worker.h"
#include "tests/integration/pipe_text.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"
#include "tests/support/test_namespace.h"

namespace sockgate::testing {
namespace {

ConnectRequest To(const std::string& address, uint16_t port, ConnectMode mode) {
  ConnectRequest request;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse(address), port);
  request.mode = mode;
  request.deadline_ms = 60'000;
  return request;
}

void Send(int channel, uint32_t id, const decltype(Request::body)& body) {
  std::array<uint8_t, kMaxPacketBytes> packet;
  const size_t size = EncodeRequest({id, body}, absl::MakeSpan(packet));
  SOCKGATE_CHECK(size > 0);
  SOCKGATE_CHECK(
      SendPacket(channel, absl::MakeConstSpan(packet.data(), size), -1, Wait::kYes).status ==
      PacketStatus::kOk);
}

// Waits for a packet, and takes it with what comes with it if it is to.
void Await(int channel, bool take) {
  pollfd one = {channel, POLLIN, 0};
  while (poll(&one, 1, -1) != 1) {
  }
  std::array<uint8_t, kMaxPacketBytes> packet;
  if (!take) return;
  Received received =
      ReceivePacket(channel, absl::MakeSpan(packet), Accept::kOneDescriptor, Wait::kYes);
  SOCKGATE_CHECK(received.status == PacketStatus::kOk);
  // The worker has it until its end.
  static_cast<void>(received.fd.Release());
}

void Greet(int channel) {
  Send(channel, 1, Hello());
  Await(channel, true);
}

struct KilledAt {
  const char* step;
  void (*go_there)(int channel, uint16_t port);
};

void PrintTo(const KilledAt& at, std::ostream* out) { *out << at.step; }

const KilledAt kSteps[] = {
    {"BeforeHello", [](int, uint16_t) {}},
    {"HelloUnread",
     [](int channel, uint16_t) {
       Send(channel, 1, Hello());
       Await(channel, false);
     }},
    {"AfterHello", [](int channel, uint16_t) { Greet(channel); }},
    {"ReplyUnread",
     [](int channel, uint16_t port) {
       Greet(channel);
       Send(channel, 2, To("127.0.0.1", port, ConnectMode::kConnected));
       Await(channel, false);
     }},
    {"ReplyRead",
     [](int channel, uint16_t port) {
       Greet(channel);
       Send(channel, 2, To("127.0.0.1", port, ConnectMode::kConnected));
       Await(channel, true);
     }},
    {"MintedUnread",
     [](int channel, uint16_t) {
       Greet(channel);
       Send(channel, 2, OpenChannelRequest());
       Await(channel, false);
     }},
    {"MintedRead",
     [](int channel, uint16_t) {
       Greet(channel);
       Send(channel, 2, OpenChannelRequest());
       Await(channel, true);
     }},
    {"ConnectedModePending",
     [](int channel, uint16_t) {
       Greet(channel);
       for (uint32_t id = 2; id < 7; ++id) {
         Send(channel, id, To(kBlackHoleV4, 80, ConnectMode::kConnected));
       }
     }},
    {"InProgressPendingUnread",
     [](int channel, uint16_t) {
       Greet(channel);
       for (uint32_t id = 2; id < 7; ++id) {
         Send(channel, id, To(kBlackHoleV4, 80, ConnectMode::kInProgress));
       }
       Await(channel, false);
     }},
    {"InProgressPendingRead",
     [](int channel, uint16_t) {
       Greet(channel);
       for (uint32_t id = 2; id < 7; ++id) {
         Send(channel, id, To(kBlackHoleV4, 80, ConnectMode::kInProgress));
         Await(channel, true);
       }
     }},
};

std::string HealthyFetch(BrokerProcess& broker, const ServerProcess& server) {
  return RunConfined(broker, [&](BrokerClient& client) {
    CurlAdapter adapter(&client, {});
    return Perform(adapter, server.Url("/status/204")).ToString();
  });
}

std::string AwaitDeath(int said) {
  WriteAll(said, ".");
  pollfd never = {-1, 0, 0};
  poll(&never, 1, 60'000);
  return "not killed";
}

class KilledTest : public ::testing::TestWithParam<KilledAt> {};

INSTANTIATE_TEST_SUITE_P(At, KilledTest, ::testing::ValuesIn(kSteps),
                         [](const auto& at) { return at.param.step; });

constexpr char kHealthy[] = "code 0 status 204 body ";

TEST_P(KilledTest, TheBrokerHasNothingLeftOfTheWorkerAndServesTheNext) {
  const ServerProcess server({});
  BrokerProcess broker = StartBroker({"203.0.113.0/24:*", "127.0.0.1:*"});
  EXPECT_EQ(HealthyFetch(broker, server), kHealthy);
  const size_t before = FdsAtRest(broker.pid());
  for (int i = 0; i < 3; ++i) {
    Pipe said;
    launch::WorkerOptions options;
    options.keep_descriptors = {said.writer.get()};
    FaultyWorker run(
        broker, options, [] {},
        [&](int channel) {
          GetParam().go_there(channel, server.port());
          return AwaitDeath(said.writer.get());
        });
    char byte;
    ASSERT_EQ(read(said.reader.get(), &byte, 1), 1);
    run.worker().Kill();
    EXPECT_EQ(run.Text(), "[signal 9]");
    EXPECT_EQ(SettledFds(broker.pid(), before), before);
  }
  EXPECT_EQ(HealthyFetch(broker, server), kHealthy);
}

// What it asked for is still unread when it is dead.
TEST(KilledOnceTest, BeforeTheBrokerHasReadWhatItAskedForLast) {
  const ServerProcess server({});
  BrokerProcess broker = StartBroker({"203.0.113.0/24:*", "127.0.0.1:*"});
  const size_t before = FdsAtRest(broker.pid());
  Pipe said;
  Pipe told;
  launch::WorkerOptions options;
  options.keep_descriptors = {said.writer.get(), told.reader.get()};
  FaultyWorker run(
      broker, options, [] {},
      [&](int channel) {
        Greet(channel);
        WriteAll(said.writer.get(), ".");
        char byte;
        SOCKGATE_CHECK(read(told.reader.get(), &byte, 1) == 1);
        Send(channel, 2, OpenChannelRequest());
        for (uint32_t id = 3; id < 20; ++id) {
          const auto mode = id % 2 == 0 ? ConnectMode::kConnected : ConnectMode::kInProgress;
          Send(channel, id, To(id % 3 == 0 ? kBlackHoleV4 : "127.0.0.1", server.port(), mode));
        }
        return AwaitDeath(said.writer.get());
      });
  char byte;
  ASSERT_EQ(read(said.reader.get(), &byte, 1), 1);
  ASSERT_EQ(kill(broker.pid(), SIGSTOP), 0);
  WriteAll(told.writer.get(), ".");
  ASSERT_EQ(read(said.reader.get(), &byte, 1), 1);
  run.worker().Kill();
  EXPECT_EQ(run.Text(), "[signal 9]");
  ASSERT_EQ(kill(broker.pid(), SIGCONT), 0);
  EXPECT_EQ(SettledFds(broker.pid(), before), before);
  EXPECT_EQ(HealthyFetch(broker, server), kHealthy);
}

}  // namespace
}  // namespace sockgate::testing
