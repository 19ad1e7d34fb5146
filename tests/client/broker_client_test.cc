#include "client/broker_client.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "tests/client/broker_thread.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/process_stats.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;
using std::chrono::milliseconds;
using testing::BrokerThread;

ConnectRequest To(uint16_t port, ConnectMode mode = ConnectMode::kConnected) {
  ConnectRequest request;
  request.mode = mode;
  request.deadline_ms = 20'000;
  request.endpoint = Endpoint::Ip(IpAddress::V4({127, 0, 0, 1}), port);
  return request;
}

uint16_t PeerPort(int socket) {
  sockaddr_in address = {};
  socklen_t length = sizeof(address);
  getpeername(socket, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

class BrokerClientTest : public ::testing::Test {
 protected:
  // With the broker's default limits.
  void Start(const Limits& limits = Limits()) {
    broker_ = std::make_unique<BrokerThread>(limits);
    auto client = BrokerClient::FromDescriptor(broker_->AddWorker());
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  std::unique_ptr<BrokerThread> broker_;
  std::unique_ptr<BrokerClient> client_;
};

TEST_F(BrokerClientTest, ConnectsInBothModes) {
  const auto listener = testing::SilentListener::Listen();
  ASSERT_TRUE(listener.ok()) << listener.status();
  Start();
  for (const ConnectMode mode : {ConnectMode::kConnected, ConnectMode::kInProgress}) {
    const ConnectResult result = client_->Connect(To(listener->port(), mode));
    ASSERT_TRUE(result.error.ok()) << result.error.ToString();
    EXPECT_EQ(result.rule, 1U);
    EXPECT_NE(fcntl(result.socket.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(result.socket.get(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_TRUE(listener->Accept(std::chrono::seconds(5)).ok());
  }
}

TEST_F(BrokerClientTest, SaysWhyThereIsNoSocket) {
  const auto refusing = testing::RefusingPort::Reserve();
  const auto full = testing::FullListener::Fill();
  ASSERT_TRUE(refusing.ok() && full.ok());
  Start();
  ConnectResult result = client_->Connect(To(refusing->port()));
  EXPECT_EQ(result.error.kind, Kind::kNetwork);
  EXPECT_EQ(result.error.error_number, ECONNREFUSED);
  EXPECT_FALSE(result.socket.valid());

  ConnectRequest elsewhere = To(443);
  elsewhere.endpoint = Endpoint::Ip(IpAddress::V4({192, 0, 2, 1}), 443);
  result = client_->Connect(elsewhere);
  EXPECT_EQ(result.error.kind, Kind::kDenied);
  EXPECT_EQ(result.error.error_number, EACCES);

  EXPECT_EQ(client_->Connect(To(0)).error.kind, Kind::kBadRequest);

  ConnectRequest hanging = To(full->port());
  hanging.deadline_ms = 100;
  result = client_->Connect(hanging);
  EXPECT_EQ(result.error.kind, Kind::kNetwork);
  EXPECT_EQ(result.error.error_number, ETIMEDOUT);
}

TEST_F(BrokerClientTest, ADeadlineThatTheProtocolForbidsIsBroughtWithinBounds) {
  const auto listener = testing::SilentListener::Listen();
  ASSERT_TRUE(listener.ok()) << listener.status();
  Start();
  ConnectRequest request = To(listener->port());
  for (const uint32_t deadline_ms : {0U, UINT32_MAX}) {
    request.deadline_ms = deadline_ms;
    EXPECT_TRUE(client_->Connect(request).error.ok());
  }
}

// Each thread has a listener of its own, so a socket that belongs to another thread's call shows.
TEST_F(BrokerClientTest, ManyThreadsEachGetTheSocketThatTheyAskedFor) {
  Start();
  const size_t before = *testing::OpenFdCount(getpid());
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] {
      const auto listener = testing::SilentListener::Listen();
      ASSERT_TRUE(listener.ok()) << listener.status();
      for (int j = 0; j < 100; ++j) {
        const auto mode = j % 2 == 0 ? ConnectMode::kConnected : ConnectMode::kInProgress;
        const ConnectResult result = client_->Connect(To(listener->port(), mode));
        ASSERT_TRUE(result.error.ok()) << result.error.ToString();
        ASSERT_EQ(PeerPort(result.socket.get()), listener->port());
        ASSERT_EQ(write(result.socket.get(), &i, sizeof(i)), static_cast<ssize_t>(sizeof(i)));
        const auto accepted = listener->Accept(std::chrono::seconds(10));
        ASSERT_TRUE(accepted.ok()) << accepted.status();
        int got = -1;
        ASSERT_EQ(read(accepted->get(), &got, sizeof(got)), static_cast<ssize_t>(sizeof(got)));
        ASSERT_EQ(got, i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // At most one channel a thread was minted, with an end on either side. The broker may still be
  // about to close its duplicate of the last socket.
  for (int i = 0; i < 200 && *testing::OpenFdCount(getpid()) > before + 2 * 8; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_LE(*testing::OpenFdCount(getpid()), before + 2 * 8);
}

// Some ask ahead for what they take, some for more, some for less; all over one channel.
TEST_F(BrokerClientTest, ManyThreadsThatAskAheadEachGetTheSocketThatTheyAskedFor) {
  Start();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] {
      const auto listener = testing::SilentListener::Listen();
      ASSERT_TRUE(listener.ok()) << listener.status();
      AheadTarget target;
      target.request =
          To(listener->port(), i % 2 == 0 ? ConnectMode::kConnected : ConnectMode::kInProgress);
      for (int j = 0; j < 100; ++j) {
        if (j % 10 == i) client_->Preconnect(target, 2);
        if (j % 3 != 0) client_->Release(j % 7 == 0 ? client_->Prepare(target) : 0);
        client_->Prepare(target);
        if (j % 5 == 0) client_->Progress();
        const ConnectResult result = client_->Connect(target.request);
        ASSERT_TRUE(result.error.ok()) << result.error.ToString();
        ASSERT_EQ(PeerPort(result.socket.get()), listener->port());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const AheadCounts counts = client_->ahead_counts();
  EXPECT_GT(counts.used, 100U);
  EXPECT_LE(counts.used + counts.expired + counts.closed + counts.missed, counts.asked);
}

TEST_F(BrokerClientTest, ASlowConnectDelaysNobodyElse) {
  const auto full = testing::FullListener::Fill();
  const auto listener = testing::SilentListener::Listen();
  ASSERT_TRUE(full.ok() && listener.ok());
  Start();
  std::thread slow([&] {
    ConnectRequest request = To(full->port());
    request.deadline_ms = 2000;
    EXPECT_EQ(client_->Connect(request).error.error_number, ETIMEDOUT);
  });
  std::this_thread::sleep_for(milliseconds(50));
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(client_->Connect(To(listener->port())).error.ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(1500));
  slow.join();
}

// With one channel besides the one that mints, which a connect to nowhere keeps for a second.
class OverTheLimitOfChannels : public BrokerClientTest {
 protected:
  void SetUp() override {
    auto full = testing::FullListener::Fill();
    ASSERT_TRUE(full.ok()) << full.status();
    full_.emplace(*std::move(full));
    Limits limits;
    limits.max_channels = 2;
    Start(limits);
    slow_ = std::thread([this] {
      ConnectRequest request = To(full_->port());
      request.deadline_ms = 1000;
      client_->Connect(request);
    });
    std::this_thread::sleep_for(milliseconds(200));
  }
  ~OverTheLimitOfChannels() override {
    if (slow_.joinable()) slow_.join();
  }

  std::optional<testing::FullListener> full_;
  std::thread slow_;
};

TEST_F(OverTheLimitOfChannels, ACallWaitsForAnotherToEnd) {
  EXPECT_EQ(client_->Connect(To(1)).error.kind, Kind::kNetwork) << "refused, so it was tried";
}

TEST_F(OverTheLimitOfChannels, NoLongerThanItsDeadline) {
  ConnectRequest request = To(1);
  request.deadline_ms = 100;
  const ConnectResult result = client_->Connect(request);
  EXPECT_EQ(result.error.kind, Kind::kLimited);
  EXPECT_EQ(result.error.reason, Reason::kChannels);
}

TEST_F(OverTheLimitOfChannels, InProgressModeDoesNotWait) {
  const auto listener = testing::SilentListener::Listen();
  ASSERT_TRUE(listener.ok()) << listener.status();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) {
    const ConnectResult result = client_->Connect(To(listener->port(), ConnectMode::kInProgress));
    EXPECT_TRUE(result.error.ok()) << result.error.ToString();
    EXPECT_TRUE(result.socket.valid());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(500));
}

// What was asked for ahead and does not come is given up for what is needed now.
TEST_F(BrokerClientTest, ASlowConnectThatWasAskedAheadKeepsNoChannelFromACall) {
  const auto full = testing::FullListener::Fill();
  const auto listener = testing::SilentListener::Listen();
  ASSERT_TRUE(full.ok() && listener.ok());
  Limits limits;
  limits.max_channels = 2;
  Start(limits);
  for (int i = 0; i < 3; ++i) {
    AheadTarget target;
    target.request = To(full->port());
    EXPECT_NE(client_->Prepare(target), 0U);
    const auto start = std::chrono::steady_clock::now();
    const ConnectResult result = client_->Connect(To(listener->port()));
    EXPECT_TRUE(result.error.ok()) << result.error.ToString();
    EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(1500));
    std::this_thread::sleep_for(milliseconds(50));  // the broker sees the channel's end
  }
}

TEST_F(BrokerClientTest, ABrokerThatEndsInTheMiddleOfARequest) {
  const auto full = testing::FullListener::Fill();
  ASSERT_TRUE(full.ok()) << full.status();
  Start();
  std::thread stopper([this] {
    std::this_thread::sleep_for(milliseconds(100));
    broker_->Stop();
  });
  const auto start = std::chrono::steady_clock::now();
  const ConnectResult result = client_->Connect(To(full->port()));
  EXPECT_EQ(result.error.kind, Kind::kBrokerGone);
  EXPECT_EQ(result.error.error_number, EPIPE);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  stopper.join();
  EXPECT_EQ(client_->Connect(To(full->port())).error.kind, Kind::kBrokerGone);
}

TEST_F(BrokerClientTest, SocketsOutliveClientAndBroker) {
  const auto listener = testing::SilentListener::Listen();
  ASSERT_TRUE(listener.ok()) << listener.status();
  Start();
  const ConnectResult result = client_->Connect(To(listener->port()));
  client_.reset();
  broker_->Stop();
  EXPECT_EQ(PeerPort(result.socket.get()), listener->port());
  EXPECT_EQ(write(result.socket.get(), "x", 1), 1);
}

}  // namespace
}  // namespace sockgate
