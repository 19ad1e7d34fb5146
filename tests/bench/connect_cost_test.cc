// What a connect costs each side, without an audit log and with a role that tracks. Counted, not
// timed, so it holds on a busy machine too.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <chrono>
#include <map>
#include <thread>

#include "broker/broker_process.h"
#include "client/broker_client.h"
#include "tests/bench/system_call_count.h"
#include "tests/support/loopback_tcp.h"

namespace sockgate::bench {
namespace {

constexpr size_t kConnects = 50;
constexpr std::chrono::seconds kPatience(60);

struct Way {
  ConnectMode mode = ConnectMode::kConnected;
  bool track = false;
};

BrokerOptions Options(bool track) {
  Role role;
  role.name = "test";
  role.policy = Policy({*Rule::Parse(Decision::kAllow, "127.0.0.1:*")});
  role.track = track;
  BrokerOptions options;
  options.roles.push_back(std::move(role));
  return options;
}

// In the child: connections that end one by one.
int ConnectOften(CountedRun* counted, const Way& way) {
  const auto listener = testing::SilentListener::Listen();
  auto broker = BrokerProcess::Start(Options(way.track));
  if (!listener.ok() || !broker.ok()) return 10;
  counted->helper = broker->pid();
  auto channel = broker->AddWorker("test");
  auto client = BrokerClient::FromDescriptor(*std::move(channel));
  if (!client.ok()) return 11;
  ConnectRequest request;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), listener->port());
  request.deadline_ms = 5000;
  request.mode = way.mode;
  // The first one mints a channel.
  shutdown((*client)->Connect(request).socket.get(), SHUT_RDWR);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  counted->counting = true;
  for (size_t i = 0; i < kConnects; ++i) {
    const ConnectResult result = (*client)->Connect(request);
    if (!result.error.ok() || result.tracked != way.track) return 12;
    shutdown(result.socket.get(), SHUT_RDWR);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  counted->counting = false;
  return 0;
}

class ConnectCostTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  void Count(const Way& way) {
    auto counts = CountSystemCalls(
        [&way](CountedRun* counted) { return ConnectOften(counted, way); }, kPatience);
    if (absl::IsUnavailable(counts.status())) GTEST_SKIP() << counts.status();
    ASSERT_TRUE(counts.ok()) << counts.status();
    ASSERT_EQ(counts->exit_code, 0);
    counts_ = *std::move(counts);
  }
  size_t BrokersCalls(int number) const {
    const auto found = counts_.helper.find(number);
    return found == counts_.helper.end() ? 0 : found->second;
  }

  // One send and one receive, and what the test does with the socket.
  void ExpectWorkersCalls() {
    const SystemCallCounts::ByNumber expected = {{SYS_sendto, kConnects},
                                                 {SYS_recvmsg, kConnects},
                                                 {SYS_shutdown, kConnects},
                                                 {SYS_close, kConnects},
                                                 {SYS_clock_nanosleep, 1}};
    EXPECT_EQ(counts_.child, expected);
  }

  SystemCallCounts counts_;
};

TEST_P(ConnectCostTest, IsWhatItTakesAndNoMore) {
  Count({GetParam(), /*track=*/false});
  if (IsSkipped()) return;
  ExpectWorkersCalls();
  // The second connect(2) tells how the first one ended, and ends what the worker could undo.
  SystemCallCounts::ByNumber expected = {
      {SYS_recvmsg, kConnects}, {SYS_socket, kConnects}, {SYS_connect, 2 * kConnects},
      {SYS_sendmsg, kConnects}, {SYS_close, kConnects},
  };
  if (GetParam() == ConnectMode::kInProgress) expected[SYS_poll] = kConnects;
  // The count begins and ends amid a turn of the broker's loop.
  EXPECT_NEAR(BrokersCalls(SYS_epoll_wait), kConnects, 1);
  counts_.helper.erase(SYS_epoll_wait);
  EXPECT_EQ(counts_.helper, expected);
}

TEST_P(ConnectCostTest, TrackingCostsOneWatchAndOneLookAtTheEnd) {
  Count({GetParam(), /*track=*/true});
  if (IsSkipped()) return;
  ExpectWorkersCalls();
  EXPECT_EQ(BrokersCalls(SYS_socket), kConnects);
  EXPECT_EQ(BrokersCalls(SYS_close), kConnects) << "no other duplicate";
  EXPECT_EQ(BrokersCalls(SYS_epoll_ctl), 2 * kConnects);
  EXPECT_EQ(BrokersCalls(SYS_getsockopt), kConnects);
  EXPECT_EQ(BrokersCalls(SYS_shutdown), 0U);
}

INSTANTIATE_TEST_SUITE_P(Modes, ConnectCostTest,
                         ::testing::Values(ConnectMode::kConnected, ConnectMode::kInProgress),
                         [](const auto& mode) {
                           return mode.param == ConnectMode::kConnected ? "Connected"
                                                                        : "InProgress";
                         });

}  // namespace
}  // namespace sockgate::bench
