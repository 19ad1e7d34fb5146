#include "tests/support/loopback_tcp.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/process_stats.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::testing {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{2000};

class LoopbackTcpTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Each, LoopbackTcpTest, ::testing::Values("127.0.0.1", "::1"),
                         [](const auto& one) { return one.index == 0 ? "V4" : "V6"; });

TEST_P(LoopbackTcpTest, SilentListenerHoldsConnectionsAndSaysNothing) {
  const auto listener = SilentListener::Listen(GetParam());
  ASSERT_TRUE(listener.ok()) << listener.status();
  std::vector<UniqueFd> held;
  for (int i = 0; i < 200; ++i) {
    ConnectResult result = TryConnect(GetParam(), listener->port(), kPatience);
    ASSERT_EQ(result.error, 0) << i;
    held.push_back(std::move(result.fd));
  }
  pollfd ready{held.front().get(), POLLIN, 0};
  EXPECT_EQ(poll(&ready, 1, 100), 0);
}

TEST_P(LoopbackTcpTest, SilentListenerHandsOutWhoeverConnected) {
  const auto listener = SilentListener::Listen(GetParam());
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(listener->Accept(milliseconds(50)).status()));
  const ConnectResult client = TryConnect(GetParam(), listener->port(), kPatience);
  ASSERT_EQ(client.error, 0);
  const auto accepted = listener->Accept(kPatience);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(write(client.fd.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(accepted->get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
}

TEST_P(LoopbackTcpTest, RefusingPortRefusesEveryTime) {
  const auto port = RefusingPort::Reserve(GetParam());
  ASSERT_TRUE(port.ok()) << port.status();
  for (int i = 0; i < 100; ++i) {
    const ConnectResult result = TryConnect(GetParam(), port->port(), kPatience);
    EXPECT_EQ(result.error, ECONNREFUSED);
    EXPECT_FALSE(result.fd.valid());
  }
}

TEST_P(LoopbackTcpTest, RefusingPortCannotBeTakenUntilItGoes) {
  auto port = RefusingPort::Reserve(GetParam());
  ASSERT_TRUE(port.ok()) << port.status();
  const uint16_t number = port->port();
  EXPECT_FALSE(ListenTcp(GetParam(), number, 1).ok());
  EXPECT_FALSE(BindTcp(GetParam(), number).ok());
  { const RefusingPort gone = *std::move(port); }
  EXPECT_TRUE(ListenTcp(GetParam(), number, 1).ok());
}

TEST_P(LoopbackTcpTest, FullListenerLeavesConnectHanging) {
  const auto listener = FullListener::Fill(GetParam());
  ASSERT_TRUE(listener.ok()) << listener.status();
  const ConnectResult result = TryConnect(GetParam(), listener->port(), milliseconds(1500));
  EXPECT_EQ(result.error, EINPROGRESS);
  EXPECT_GE(result.took, milliseconds(1500));
}

TEST_P(LoopbackTcpTest, NothingStaysOpen) {
  const auto before = OpenFdCount(getpid());
  ASSERT_TRUE(before.ok());
  {
    EXPECT_TRUE(SilentListener::Listen(GetParam()).ok());
    EXPECT_TRUE(RefusingPort::Reserve(GetParam()).ok());
    EXPECT_TRUE(FullListener::Fill(GetParam()).ok());
  }
  EXPECT_EQ(*OpenFdCount(getpid()), *before);
}

TEST(TcpSocketTest, TakesLiteralsOnly) {
  for (const char* address : {"", "localhost", "[::1]", "127.1", "fe80::1%lo"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(BindTcp(address, 0).status())) << address;
    EXPECT_EQ(TryConnect(address, 1, kPatience).error, EINVAL) << address;
  }
}

TEST(TcpSocketTest, WritesHostAndPortAsAUrlDoes) {
  EXPECT_EQ(JoinHostPort("127.0.0.1", 80), "127.0.0.1:80");
  EXPECT_EQ(JoinHostPort("::1", 443), "[::1]:443");
}

}  // namespace
}  // namespace sockgate::testing
