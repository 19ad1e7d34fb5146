#include "broker/net.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "tests/support/loopback_tcp.h"

namespace sockgate {
namespace {

using testing::FullListener;
using testing::RefusingPort;
using testing::SilentListener;

int TakeError(int socket) {
  int error = -1;
  socklen_t length = sizeof(error);
  getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

bool BecomesReady(int socket) {
  pollfd entry = {socket, POLLOUT, 0};
  return poll(&entry, 1, 5000) == 1;
}

class KernelNetTest : public ::testing::TestWithParam<const char*> {
 protected:
  Endpoint At(uint16_t port) const { return Endpoint::Ip(*IpAddress::Parse(GetParam()), port); }

  // A socket whose handshake with `port` has begun.
  UniqueFd Begin(uint16_t port) {
    UniqueFd socket;
    EXPECT_EQ(net_.Open(At(port), Transport::kStream, {}, &socket), 0);
    EXPECT_EQ(net_.Connect(socket.get(), At(port)), EINPROGRESS);
    return socket;
  }

  KernelNet net_;
};

INSTANTIATE_TEST_SUITE_P(Each, KernelNetTest, ::testing::Values("127.0.0.1", "::1"),
                         [](const auto& one) { return one.index == 0 ? "V4" : "V6"; });

TEST_P(KernelNetTest, OpensANonBlockingCloseOnExecStreamSocketOfTheFamily) {
  UniqueFd socket;
  ASSERT_EQ(net_.Open(At(1), Transport::kStream, {}, &socket), 0);
  EXPECT_NE(fcntl(socket.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(socket.get(), F_GETFD) & FD_CLOEXEC, 0);
  int domain = 0;
  socklen_t length = sizeof(domain);
  getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &domain, &length);
  EXPECT_EQ(domain, std::string(GetParam()) == "::1" ? AF_INET6 : AF_INET);
}

TEST_P(KernelNetTest, AHandshakeThatIsDone) {
  const auto listener = SilentListener::Listen(GetParam());
  ASSERT_TRUE(listener.ok()) << listener.status();
  const UniqueFd socket = Begin(listener->port());
  ASSERT_TRUE(BecomesReady(socket.get()));
  EXPECT_EQ(net_.Look(socket.get()), Handshake::kDone);
  EXPECT_EQ(net_.Connect(socket.get(), At(listener->port())), 0);
  // Finalised: from here on nobody can aim it anew.
  EXPECT_EQ(net_.Connect(socket.get(), At(listener->port())), EISCONN);
}

// A worker that has used the connection and ended it did have a connection.
TEST_P(KernelNetTest, AConnectionThatIsOverIsNoFailedHandshake) {
  const auto listener = SilentListener::Listen(GetParam());
  ASSERT_TRUE(listener.ok()) << listener.status();
  const UniqueFd socket = Begin(listener->port());
  ASSERT_TRUE(BecomesReady(socket.get()));
  EXPECT_EQ(send(socket.get(), "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_EQ(shutdown(socket.get(), SHUT_RDWR), 0);
  { const auto accepted = listener->Accept(std::chrono::seconds(5)); }
  ASSERT_TRUE(BecomesReady(socket.get()));
  EXPECT_EQ(net_.Look(socket.get()), Handshake::kOver);
}

TEST_P(KernelNetTest, LookingLeavesTheErrorForTheWorker) {
  const auto port = RefusingPort::Reserve(GetParam());
  ASSERT_TRUE(port.ok()) << port.status();
  const UniqueFd socket = Begin(port->port());
  ASSERT_TRUE(BecomesReady(socket.get()));
  EXPECT_EQ(net_.Look(socket.get()), Handshake::kFailed);
  EXPECT_EQ(net_.Look(socket.get()), Handshake::kFailed);
  EXPECT_EQ(TakeError(socket.get()), ECONNREFUSED);
}

TEST_P(KernelNetTest, ConnectingAgainTakesTheError) {
  const auto port = RefusingPort::Reserve(GetParam());
  ASSERT_TRUE(port.ok()) << port.status();
  const UniqueFd socket = Begin(port->port());
  ASSERT_TRUE(BecomesReady(socket.get()));
  EXPECT_EQ(net_.Connect(socket.get(), At(port->port())), ECONNREFUSED);
  EXPECT_EQ(TakeError(socket.get()), 0);
}

TEST_P(KernelNetTest, AHandshakeThatGoesOn) {
  const auto listener = FullListener::Fill(GetParam());
  ASSERT_TRUE(listener.ok()) << listener.status();
  const UniqueFd socket = Begin(listener->port());
  EXPECT_EQ(net_.Look(socket.get()), Handshake::kGoingOn);
  EXPECT_EQ(net_.Connect(socket.get(), At(listener->port())), EALREADY);
}

TEST_P(KernelNetTest, GivingUpEndsItForWhoeverHoldsADuplicate) {
  const auto listener = FullListener::Fill(GetParam());
  ASSERT_TRUE(listener.ok()) << listener.status();
  const UniqueFd socket = Begin(listener->port());
  const UniqueFd duplicate(dup(socket.get()));
  net_.GiveUp(socket.get());
  EXPECT_EQ(net_.Look(duplicate.get()), Handshake::kFailed);
  EXPECT_NE(TakeError(duplicate.get()), 0);
}

TEST(KernelNetUnixTest, OpensAUnixSocketForAUnixEndpoint) {
  KernelNet net;
  const auto endpoint = Endpoint::Unix("/nonexistent/socket");
  UniqueFd socket;
  ASSERT_EQ(net.Open(*endpoint, Transport::kStream, {}, &socket), 0);
  EXPECT_EQ(net.Connect(socket.get(), *endpoint), ENOENT);
}

}  // namespace
}  // namespace sockgate
