// What tracking a connection costs the broker, and that it costs a role without it nothing. Counted,
// not timed, so it holds on a busy machine too.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <chrono>
#include <thread>

#include "broker/broker_process.h"
#include "client/broker_client.h"
#include "tests/bench/system_call_count.h"
#include "tests/support/loopback_tcp.h"

namespace sockgate::bench {
namespace {

constexpr size_t kConnects = 50;
constexpr std::chrono::seconds kPatience(60);

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
int ConnectOften(CountedRun* counted, bool track) {
  const auto listener = testing::SilentListener::Listen();
  auto broker = BrokerProcess::Start(Options(track));
  if (!listener.ok() || !broker.ok()) return 10;
  counted->helper = broker->pid();
  auto channel = broker->AddWorker("test");
  auto client = BrokerClient::FromDescriptor(*std::move(channel));
  if (!client.ok()) return 11;
  ConnectRequest request;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), listener->port());
  request.deadline_ms = 5000;
  // The first one mints a channel.
  shutdown((*client)->Connect(request).socket.get(), SHUT_RDWR);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  counted->counting = true;
  for (size_t i = 0; i < kConnects; ++i) {
    const ConnectResult result = (*client)->Connect(request);
    if (!result.error.ok() || result.tracked != track) return 12;
    shutdown(result.socket.get(), SHUT_RDWR);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  counted->counting = false;
  return 0;
}

class TrackCostTest : public ::testing::Test {
 protected:
  void Count(bool track) {
    auto counts = CountSystemCalls(
        [track](CountedRun* counted) { return ConnectOften(counted, track); }, kPatience);
    if (absl::IsUnavailable(counts.status())) GTEST_SKIP() << counts.status();
    ASSERT_TRUE(counts.ok()) << counts.status();
    ASSERT_EQ(counts->exit_code, 0);
    counts_ = *std::move(counts);
  }
  size_t BrokersCalls(int number) const {
    const auto found = counts_.helper.find(number);
    return found == counts_.helper.end() ? 0 : found->second;
  }

  SystemCallCounts counts_;
};

TEST_F(TrackCostTest, NothingWhereTheRoleDoesNotAsk) {
  Count(/*track=*/false);
  if (IsSkipped()) return;
  EXPECT_EQ(BrokersCalls(SYS_socket), kConnects);
  EXPECT_EQ(BrokersCalls(SYS_close), kConnects);
  EXPECT_EQ(BrokersCalls(SYS_epoll_ctl), 0U);
  EXPECT_EQ(BrokersCalls(SYS_getsockopt), 0U);
  EXPECT_EQ(BrokersCalls(SYS_ioctl), 0U);
}

TEST_F(TrackCostTest, OneWatchAndOneLookAtTheEnd) {
  Count(/*track=*/true);
  if (IsSkipped()) return;
  EXPECT_EQ(BrokersCalls(SYS_socket), kConnects);
  EXPECT_EQ(BrokersCalls(SYS_close), kConnects) << "no other duplicate";
  EXPECT_EQ(BrokersCalls(SYS_epoll_ctl), 2 * kConnects);
  EXPECT_EQ(BrokersCalls(SYS_getsockopt), kConnects);
  EXPECT_EQ(BrokersCalls(SYS_shutdown), 0U);
}

}  // namespace
}  // namespace sockgate::bench
