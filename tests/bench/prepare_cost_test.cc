// What libcurl's callback costs where the socket was asked for ahead of need: one look whether its
// peer has gone, nothing of the broker, nothing allocated. Counted, not timed, so it holds on a busy
// machine too.

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/broker_process.h"
#include "client/broker_client.h"
#include "client/curl_adapter.h"
#include "client/name_shim.h"
#include "tests/bench/system_call_count.h"
#include "tests/support/allocation_count.h"
#include "tests/support/loopback_tcp.h"

namespace sockgate::bench {
namespace {

constexpr std::chrono::seconds kPatience(60);
constexpr size_t kSockets = 50;

testing::AllocationCount g_allocations;

size_t CallsOf(const SystemCallCounts::ByNumber& calls, int number) {
  const auto found = calls.find(number);
  return found == calls.end() ? 0 : found->second;
}

// In the child: a client, and a target where connections wait.
struct World {
  CountedRun* counted;
  BrokerClient* client;
  AheadTarget target;

  void Begin() const {
    counted->counting = true;
    testing::CountAllocationsIn(&g_allocations);
  }
  // False: something was allocated.
  bool End() const {
    testing::CountAllocationsIn(nullptr);
    counted->counting = false;
    return g_allocations.exchange(0) == 0;
  }
};

// The broker answers, and the client takes the answers.
void Settle(BrokerClient* client) {
  for (int i = 0; i < 50; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    client->Progress();
  }
}

int TakeAll(const World& world, size_t count) {
  std::vector<ConnectResult> taken(count);
  world.Begin();
  for (ConnectResult& result : taken) result = world.client->Connect(world.target.request);
  if (!world.End()) return 20;
  for (const ConnectResult& result : taken) {
    if (!result.prepared) return 21;
  }
  return 0;
}

class PrepareCostTest : public ::testing::Test {
 protected:
  using Use = std::function<int(const World&)>;

  void Count(ConnectMode mode, const Use& use) {
    const auto run = [&](CountedRun* counted) { return WithBroker(counted, mode, use); };
    auto counts = CountSystemCalls(run, kPatience);
    if (absl::IsUnavailable(counts.status())) GTEST_SKIP() << counts.status();
    ASSERT_TRUE(counts.ok()) << counts.status();
    ASSERT_EQ(counts->exit_code, 0);
    counts_ = *std::move(counts);
  }

  size_t Calls(int number) const { return CallsOf(counts_.child, number); }

  SystemCallCounts counts_;

 private:
  static int WithBroker(CountedRun* counted, ConnectMode mode, const Use& use) {
    const auto listener = testing::SilentListener::Listen();
    Role role;
    role.name = "test";
    role.policy = Policy({*Rule::Parse(Decision::kAllow, "127.0.0.1:*")});
    BrokerOptions options;
    options.roles.push_back(std::move(role));
    auto broker = BrokerProcess::Start(std::move(options));
    if (!listener.ok() || !broker.ok()) return 10;
    counted->helper = broker->pid();
    auto channel = broker->AddWorker("test");
    auto client = BrokerClient::FromDescriptor(*std::move(channel));
    if (!client.ok()) return 11;
    AheadTarget target;
    target.request.mode = mode;
    target.request.deadline_ms = 5000;
    target.request.endpoint = Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), listener->port());
    return use({counted, client->get(), target});
  }
};

TEST_F(PrepareCostTest, ASocketThatIsHereCostsOneLookAndNothingOfTheBroker) {
  for (const ConnectMode mode : {ConnectMode::kConnected, ConnectMode::kInProgress}) {
    Count(mode, [](const World& world) {
      world.client->Preconnect(world.target, kSockets);
      Settle(world.client);
      return TakeAll(world, kSockets);
    });
    if (IsSkipped()) return;
    EXPECT_EQ(Calls(SYS_poll), kSockets);
    EXPECT_EQ(SystemCallCounts::Sum(counts_.child), kSockets);
    EXPECT_EQ(SystemCallCounts::Sum(counts_.helper), 0U);
  }
}

TEST_F(PrepareCostTest, OneWhoseReplyIsHereCostsItsReceipt) {
  Count(ConnectMode::kConnected, [](const World& world) {
    // All vectors have their sizes then.
    world.client->Preconnect(world.target, 1);
    world.client->Connect(world.target.request);
    world.client->Preconnect(world.target, AskedAhead::kMostOwed);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return TakeAll(world, AskedAhead::kMostOwed);
  });
  if (IsSkipped()) return;
  EXPECT_EQ(Calls(SYS_recvmsg), AskedAhead::kMostOwed);
  EXPECT_EQ(SystemCallCounts::Sum(counts_.child), AskedAhead::kMostOwed);
}

TEST_F(PrepareCostTest, ToAskAheadIsOneSend) {
  Count(ConnectMode::kInProgress, [](const World& world) {
    world.client->Preconnect(world.target, 1);  // mints the channel
    Settle(world.client);
    world.Begin();
    for (size_t i = 0; i < AskedAhead::kMostOwed; ++i) world.client->Prepare(world.target);
    world.End();
    return 0;
  });
  if (IsSkipped()) return;
  // The first has the one that is there.
  EXPECT_EQ(Calls(SYS_sendto), AskedAhead::kMostOwed - 1);
  EXPECT_EQ(SystemCallCounts::Sum(counts_.child), AskedAhead::kMostOwed - 1);
}

// In a whole transfer: only sockgate receives messages, and only the broker has a helper's calls.
TEST_F(PrepareCostTest, ATransferThatWasPreparedAsksTheBrokerNothing) {
  Count(ConnectMode::kConnected, [](const World& world) {
    if (!ArmNameShim(world.client).ok()) return 30;
    CurlAdapter adapter(world.client, {});
    const std::string url = absl::StrCat("http://", world.target.request.endpoint.ToString());
    CURL* easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    if (!adapter.Attach(easy).ok()) return 31;
    adapter.Prepare(easy, url);
    Settle(world.client);
    world.counted->counting = true;
    const CURLcode code = curl_easy_perform(easy);
    world.counted->counting = false;
    adapter.Detach(easy);
    curl_easy_cleanup(easy);
    DisarmNameShim();
    return code == CURLE_OK && world.client->ahead_counts().used == 1 ? 0 : 32;
  });
  if (IsSkipped()) return;
  EXPECT_EQ(Calls(SYS_recvmsg), 0U);
  EXPECT_EQ(SystemCallCounts::Sum(counts_.helper), 0U);
}

}  // namespace
}  // namespace sockgate::bench
