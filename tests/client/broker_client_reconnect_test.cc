// What a BrokerClient does about a broker that has gone.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "client/broker_client.h"
#include "proto/handover.h"
#include "tests/broker/temp_folder.h"
#include "tests/client/broker_thread.h"
#include "tests/client/fake_broker.h"
#include "tests/client/fake_resolver.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/process_stats.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::BrokerThread;
using testing::FakeBroker;
using testing::FakeSource;

ConnectRequest To(uint16_t port, ConnectMode mode = ConnectMode::kConnected) {
  ConnectRequest request;
  request.mode = mode;
  request.deadline_ms = 20'000;
  request.endpoint = Endpoint::Ip(IpAddress::V4({127, 0, 0, 1}), port);
  return request;
}

// --- real brokers on a path ---

class ReconnectByPathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto listener = testing::SilentListener::Listen();
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_.emplace(*std::move(listener));
    StartBroker();
    auto client = BrokerClient::FromPath(path_);
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  void StartBroker() {
    broker_ = std::make_unique<BrokerThread>(Limits(), path_);
    ASSERT_TRUE(broker_->listening());
  }

  ConnectResult Connect(ConnectMode mode = ConnectMode::kConnected) {
    return client_->Connect(To(listener_->port(), mode));
  }

  const testing::TempFolder folder_;
  const std::string path_ = folder_ / "broker";
  std::optional<testing::SilentListener> listener_;
  std::unique_ptr<BrokerThread> broker_;
  std::unique_ptr<BrokerClient> client_;
};

TEST_F(ReconnectByPathTest, TheNextCallGoesToTheBrokerOfThen) {
  for (const ConnectMode mode : {ConnectMode::kConnected, ConnectMode::kInProgress}) {
    EXPECT_TRUE(Connect(mode).error.ok());
    broker_->Stop();
    StartBroker();
    const ConnectResult result = Connect(mode);
    EXPECT_TRUE(result.error.ok()) << result.error.ToString();
    EXPECT_TRUE(result.socket.valid());
  }
}

TEST_F(ReconnectByPathTest, WhatIsAskedAheadIsAskedOfTheBrokerOfThen) {
  AheadTarget target;
  target.request = To(listener_->port());
  for (int i = 0; i < 3; ++i) {
    client_->Prepare(target);
    EXPECT_TRUE(Connect().prepared);
    client_->Prepare(target);
    broker_->Stop();
    EXPECT_FALSE(Connect(ConnectMode::kInProgress).error.ok());
    StartBroker();
    EXPECT_TRUE(Connect().error.ok());
  }
}

TEST_F(ReconnectByPathTest, InProgressModeIsToldAtOnceThatThereIsNoBroker) {
  ASSERT_TRUE(Connect().error.ok());
  broker_->Stop();
  const auto begun = steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    const ConnectResult result = Connect(ConnectMode::kInProgress);
    EXPECT_EQ(result.error.kind, Kind::kBrokerGone);
    EXPECT_GT(result.error.retry_after_ms, 0U);
    EXPECT_FALSE(result.socket.valid());
  }
  EXPECT_LT(steady_clock::now() - begun, milliseconds(200));
  StartBroker();
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_TRUE(Connect(ConnectMode::kInProgress).error.ok());
}

TEST_F(ReconnectByPathTest, ConnectedModeWaitsForARestart) {
  ASSERT_TRUE(Connect().error.ok());
  broker_->Stop();
  std::thread starter([this] {
    std::this_thread::sleep_for(milliseconds(300));
    StartBroker();
  });
  const ConnectResult result = Connect();
  EXPECT_TRUE(result.error.ok()) << result.error.ToString();
  starter.join();
}

TEST_F(ReconnectByPathTest, ButNoLongerThanItsDeadline) {
  ASSERT_TRUE(Connect().error.ok());
  broker_->Stop();
  ConnectRequest request = To(listener_->port());
  request.deadline_ms = 300;
  const auto begun = steady_clock::now();
  EXPECT_EQ(client_->Connect(request).error.kind, Kind::kBrokerGone);
  EXPECT_LT(steady_clock::now() - begun, milliseconds(600));
}

TEST_F(ReconnectByPathTest, ManyThreadsOverManyRestartsLeakNothing) {
  constexpr size_t kThreads = 6;
  const size_t before = *testing::OpenFdCount(getpid());
  std::atomic<bool> stop = false;
  std::atomic<int> connected = 0;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  // Or its queue would fill up.
  std::thread acceptor([&] {
    while (!stop) static_cast<void>(listener_->Accept(milliseconds(20)));
  });
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const auto mode = i % 2 == 0 ? ConnectMode::kConnected : ConnectMode::kInProgress;
      AheadTarget target;
      target.request = To(listener_->port(), mode);
      while (!stop) {
        if (connected % 3 == 0) client_->Prepare(target);
        const ConnectResult result = Connect(mode);
        if (result.error.ok()) ++connected;
        if (result.error.ok()) continue;
        ASSERT_EQ(result.error.kind, Kind::kBrokerGone) << result.error.ToString();
        ASSERT_GT(result.error.retry_after_ms, 0U);
        std::this_thread::sleep_for(milliseconds(result.error.retry_after_ms));
      }
    });
  }
  for (int i = 0; i < 8; ++i) {
    std::this_thread::sleep_for(milliseconds(100));
    broker_->Stop();
    StartBroker();
  }
  const int by_then = connected;
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_GT(connected, by_then) << "it goes on after the last restart";
  stop = true;
  for (std::thread& thread : threads) thread.join();
  acceptor.join();
  client_->set_spare_age(milliseconds(0));
  client_->Progress();
  // A channel for each and the first, with an end on either side, less what there was before.
  for (int i = 0; i < 200 && *testing::OpenFdCount(getpid()) > before + 2 * kThreads; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_LE(*testing::OpenFdCount(getpid()), before + 2 * kThreads);
}

// --- brokers that say what the test wants said, by a source ---

// A broker that has greeted, and a channel that it mints.
class ScriptedBroker {
 public:
  explicit ScriptedBroker(uint32_t capabilities = 0) {
    first.Greet(capabilities);
    OpenChannelReply opened;
    opened.result.outcome = Outcome::kOpened;
    const UniqueFd end = minted.TakeWorkerEnd();
    first.Reply(2, opened, end.get());
  }

  // Ends when it gets the request, unanswered.
  std::thread DieOfTheNextRequest() {
    return std::thread([this] {
      EXPECT_NE(minted.NextRequest(), 0U);
      first.Close();
      minted.Close();
    });
  }

  void Close() {
    first.Close();
    minted.Close();
  }

  FakeBroker first;
  FakeBroker minted;
};

class ReconnectBySourceTest : public ::testing::Test {
 protected:
  std::unique_ptr<BrokerClient> ClientOf(ScriptedBroker& broker) {
    return *BrokerClient::FromDescriptor(broker.first.TakeWorkerEnd(),
                                         ReconnectBy::Source(source_.TakeWorkerEnd()));
  }

  FakeSource source_;
};

TEST_F(ReconnectBySourceTest, WhatWasNotAnsweredIsAskedAgainOfTheNextBroker) {
  for (const ConnectMode mode : {ConnectMode::kConnected, ConnectMode::kInProgress}) {
    FakeSource source;
    ScriptedBroker one;
    ScriptedBroker two;
    const auto client = *BrokerClient::FromDescriptor(one.first.TakeWorkerEnd(),
                                                      ReconnectBy::Source(source.TakeWorkerEnd()));
    std::thread death = one.DieOfTheNextRequest();
    source.Give(two.first);
    two.minted.Reply(1, testing::Saying(Outcome::kDenied));
    EXPECT_EQ(client->Connect(To(443, mode)).error.kind, Kind::kDenied);
    death.join();
    EXPECT_EQ(two.minted.NextRequest(), 1U);
  }
}

// Or a request that ends brokers would end one after the other.
TEST_F(ReconnectBySourceTest, ButOnlyOnce) {
  ScriptedBroker one;
  ScriptedBroker two;
  ScriptedBroker three;
  const auto client = ClientOf(one);
  std::thread first_death = one.DieOfTheNextRequest();
  std::thread second_death = two.DieOfTheNextRequest();
  source_.Give(two.first);
  source_.Give(three.first);
  const ConnectError error = client->Connect(To(443)).error;
  EXPECT_EQ(error.kind, Kind::kBrokerGone);
  EXPECT_GT(error.retry_after_ms, 0U);
  first_death.join();
  second_death.join();
  EXPECT_EQ(source_.Asked(), 1);
  EXPECT_EQ(three.minted.NextRequest(nullptr, 0), 0U);
}

TEST_F(ReconnectBySourceTest, WhatNeverLeftDoesNotCount) {
  ScriptedBroker one;
  ScriptedBroker two;
  ScriptedBroker three;
  const auto client = ClientOf(one);
  one.minted.Reply(1, testing::Saying(Outcome::kDenied));
  EXPECT_EQ(client->Connect(To(443)).error.kind, Kind::kDenied);
  one.Close();
  std::thread death = two.DieOfTheNextRequest();
  source_.Give(two.first);
  source_.Give(three.first);
  three.minted.Reply(1, testing::Saying(Outcome::kDenied));
  EXPECT_EQ(client->Connect(To(443)).error.kind, Kind::kDenied);
  death.join();
}

TEST_F(ReconnectBySourceTest, NonsenseIsNotAskedAgain) {
  ScriptedBroker one;
  const auto client = ClientOf(one);
  one.minted.ReplyBytes({'H', 'T', 'T', 'P'});
  EXPECT_EQ(client->Connect(To(443)).error.kind, Kind::kBadReply);
  EXPECT_EQ(source_.Asked(), 0);
}

TEST_F(ReconnectBySourceTest, TheNextBrokerMayLackTheResolver) {
  ScriptedBroker one(kCapabilityResolve);
  ScriptedBroker two;
  const auto client = ClientOf(one);
  EXPECT_TRUE(client->resolves());
  one.minted.Reply(1, testing::Addresses({"192.0.2.1"}));
  EXPECT_TRUE(client->Resolve("a.test", NameFamily::kAny).error.ok());
  one.Close();
  source_.Give(two.first);
  EXPECT_EQ(client->Resolve("a.test", NameFamily::kAny).error.kind, Kind::kNoResolver);
  EXPECT_FALSE(client->resolves());
}

// libcurl keeps addresses; a rule on their host holds only where the broker has looked it up.
TEST_F(ReconnectBySourceTest, TheNextBrokerLooksUpWhatLedToAnAddressFirst) {
  for (const ConnectMode mode : {ConnectMode::kConnected, ConnectMode::kInProgress}) {
    FakeSource source;
    ScriptedBroker one(kCapabilityResolve);
    ScriptedBroker two(kCapabilityResolve);
    const auto client = *BrokerClient::FromDescriptor(one.first.TakeWorkerEnd(),
                                                      ReconnectBy::Source(source.TakeWorkerEnd()));
    one.minted.Reply(1, testing::Addresses({"127.0.0.1"}));
    EXPECT_TRUE(client->Resolve("a.test", NameFamily::kIpv4).error.ok());
    one.minted.Reply(2, testing::Saying(Outcome::kFailed));
    EXPECT_EQ(client->Connect(To(443, mode)).error.kind, Kind::kNetwork);
    one.Close();

    source.Give(two.first);
    two.minted.Reply(1, testing::Addresses({"127.0.0.1"}));
    two.minted.Reply(2, testing::Saying(Outcome::kFailed));
    two.minted.Reply(3, testing::Saying(Outcome::kFailed));
    EXPECT_EQ(client->Connect(To(443, mode)).error.kind, Kind::kNetwork);
    decltype(Request::body) asked;
    EXPECT_EQ(two.minted.NextRequest(&asked), 1U);
    EXPECT_TRUE(std::holds_alternative<ResolveRequest>(asked));
    EXPECT_EQ(two.minted.NextRequest(&asked), 2U);
    EXPECT_TRUE(std::holds_alternative<ConnectRequest>(asked));
    EXPECT_EQ(client->Connect(To(443, mode)).error.kind, Kind::kNetwork);
    EXPECT_EQ(two.minted.NextRequest(&asked), 3U);
    EXPECT_TRUE(std::holds_alternative<ConnectRequest>(asked)) << "once is enough";
  }
}

TEST_F(ReconnectBySourceTest, ANameThatTheNextBrokerDeniesIsNotAskedForAgain) {
  ScriptedBroker one(kCapabilityResolve);
  ScriptedBroker two(kCapabilityResolve);
  const auto client = ClientOf(one);
  one.minted.Reply(1, testing::Addresses({"127.0.0.1"}));
  EXPECT_TRUE(client->Resolve("a.test", NameFamily::kAny).error.ok());
  one.Close();
  source_.Give(two.first);
  two.minted.Reply(1, testing::Refusal(Outcome::kDenied, Reason::kDenyRule, 1));
  two.minted.Reply(2, testing::Saying(Outcome::kDenied));
  two.minted.Reply(3, testing::Saying(Outcome::kDenied));
  EXPECT_EQ(client->Connect(To(443)).error.kind, Kind::kDenied);
  EXPECT_EQ(client->Connect(To(443)).error.kind, Kind::kDenied);
}

TEST(ReconnectByTest, WhatIsNoSource) {
  FakeBroker broker;
  broker.Greet();
  EXPECT_TRUE(absl::IsInvalidArgument(
      BrokerClient::FromDescriptor(broker.TakeWorkerEnd(), ReconnectBy::Source(UniqueFd()))
          .status()));
}

TEST(ReconnectByTest, TheEnvironmentMayNameASource) {
  FakeSource source;
  ScriptedBroker one;
  ScriptedBroker two;
  const UniqueFd channel = one.first.TakeWorkerEnd();
  const UniqueFd its_source = source.TakeWorkerEnd();
  setenv(kChannelVariable, std::to_string(dup(channel.get())).c_str(), 1);
  setenv(kSourceVariable, std::to_string(dup(its_source.get())).c_str(), 1);
  const auto client = BrokerClient::FromEnvironment();
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ(getenv(kSourceVariable), nullptr);
  one.Close();
  source.Give(two.first);
  two.minted.Reply(1, testing::Saying(Outcome::kDenied));
  EXPECT_EQ((*client)->Connect(To(443)).error.kind, Kind::kDenied);
}

}  // namespace
}  // namespace sockgate
