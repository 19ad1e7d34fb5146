// On real sockets: what is set is read back, and what the kernel refuses is an errno. Marks and the
// loss of privilege need root; those tests say so where they skip.

#include "broker/socket_options.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>

#include "broker/net.h"
#include "tests/broker/capabilities.h"
#include "tests/support/loopback_tcp.h"

namespace sockgate {
namespace {

constexpr Transport kTcp = Transport::kStream;
constexpr Transport kUdp = Transport::kDatagram;

uint32_t Number(int socket, int level, int name) {
  uint32_t value = UINT32_MAX;
  socklen_t length = sizeof(value);
  EXPECT_EQ(getsockopt(socket, level, name, &value, &length), 0) << name;
  return value;
}

std::string Text(int socket, int level, int name) {
  std::array<char, 64> value = {};
  socklen_t length = value.size();
  EXPECT_EQ(getsockopt(socket, level, name, value.data(), &length), 0) << name;
  return value.data();
}

Endpoint LocalName(int socket) {
  sockaddr_storage address;
  socklen_t length = sizeof(address);
  EXPECT_EQ(getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length), 0);
  return *Endpoint::FromSockaddr(reinterpret_cast<sockaddr*>(&address), length);
}

class SocketOptionsTest : public ::testing::Test {
 protected:
  static Endpoint To(const char* address, uint16_t port = 443) {
    return Endpoint::Ip(*IpAddress::Parse(address), port);
  }

  // The errno of a fresh socket with these options.
  int Open(const Endpoint& endpoint, Transport transport = kTcp) {
    return net_.Open(endpoint, transport, options_, &socket_);
  }

  KernelNet net_;
  SocketOptions options_;
  UniqueFd socket_;
};

class EitherFamilyTest : public SocketOptionsTest,
                         public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Each, EitherFamilyTest, ::testing::Values("127.0.0.1", "::1"),
                         [](const auto& one) { return one.index == 0 ? "V4" : "V6"; });

TEST_P(EitherFamilyTest, Keepalive) {
  options_.keepalive = Keepalive{11, 12, 13};
  ASSERT_EQ(Open(To(GetParam())), 0);
  EXPECT_EQ(Number(socket_.get(), SOL_SOCKET, SO_KEEPALIVE), 1U);
  EXPECT_EQ(Number(socket_.get(), IPPROTO_TCP, TCP_KEEPIDLE), 11U);
  EXPECT_EQ(Number(socket_.get(), IPPROTO_TCP, TCP_KEEPINTVL), 12U);
  EXPECT_EQ(Number(socket_.get(), IPPROTO_TCP, TCP_KEEPCNT), 13U);
}

TEST_P(EitherFamilyTest, UserTimeoutAndCongestionControl) {
  options_.user_timeout_ms = 4321;
  options_.congestion_control = "reno";
  ASSERT_EQ(Open(To(GetParam())), 0);
  EXPECT_EQ(Number(socket_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT), 4321U);
  EXPECT_EQ(Text(socket_.get(), IPPROTO_TCP, TCP_CONGESTION), "reno");
}

TEST_P(EitherFamilyTest, TypeOfService) {
  options_.tos = 0x48;
  const bool v4 = std::string(GetParam()) == "127.0.0.1";
  for (const Transport transport : {kTcp, kUdp}) {
    ASSERT_EQ(Open(To(GetParam()), transport), 0);
    EXPECT_EQ(Number(socket_.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS),
              0x48U);
  }
}

TEST_P(EitherFamilyTest, Interface) {
  options_.interface = "lo";
  for (const Transport transport : {kTcp, kUdp}) {
    ASSERT_EQ(Open(To(GetParam()), transport), 0);
    EXPECT_EQ(Text(socket_.get(), SOL_SOCKET, SO_BINDTODEVICE), "lo");
  }
  for (const char* wrong : {"nosuchdevice", "lo-with-a-name-that-is-too-long"}) {
    options_.interface = wrong;
    EXPECT_EQ(Open(To(GetParam())), ENODEV) << wrong;
    EXPECT_FALSE(socket_.valid());
  }
}

TEST_P(EitherFamilyTest, WhatIsNotSetIsAsTheKernelMadeIt) {
  ASSERT_EQ(Open(To(GetParam())), 0);
  EXPECT_EQ(Number(socket_.get(), SOL_SOCKET, SO_KEEPALIVE), 0U);
  EXPECT_EQ(Number(socket_.get(), SOL_SOCKET, SO_MARK), 0U);
  EXPECT_EQ(Number(socket_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT), 0U);
  EXPECT_EQ(Text(socket_.get(), SOL_SOCKET, SO_BINDTODEVICE), "");
  EXPECT_EQ(LocalName(socket_.get()).port(), 0);
}

// Whatever was asked of a descriptor that does not exist would fail.
TEST_P(EitherFamilyTest, WhatIsNotSetCostsNoSystemCall) {
  for (const Transport transport : {kTcp, kUdp}) {
    EXPECT_EQ(ApplySocketOptions(-1, To(GetParam()), transport, SocketOptions()), 0);
  }
  options_.tos = 0;
  EXPECT_EQ(ApplySocketOptions(-1, To(GetParam()), kTcp, options_), EBADF);
}

// They would be refused: ENOPROTOOPT.
TEST_P(EitherFamilyTest, UdpGetsNothingThatIsTcps) {
  options_.keepalive = Keepalive();
  options_.user_timeout_ms = 1;
  options_.congestion_control = "reno";
  ASSERT_EQ(Open(To(GetParam()), kUdp), 0);
  EXPECT_EQ(Number(socket_.get(), SOL_SOCKET, SO_TYPE), static_cast<uint32_t>(SOCK_DGRAM));
  EXPECT_EQ(Number(socket_.get(), SOL_SOCKET, SO_KEEPALIVE), 0U);
}

TEST_P(EitherFamilyTest, MarkWithThePrivilegeForIt) {
  options_.mark = 0x5ca7e;
  const int error = Open(To(GetParam()));
  if (error == EPERM) GTEST_SKIP() << "needs CAP_NET_ADMIN";
  ASSERT_EQ(error, 0);
  EXPECT_EQ(Number(socket_.get(), SOL_SOCKET, SO_MARK), 0x5ca7eU);
}

TEST_P(EitherFamilyTest, MarkWithoutThePrivilegeForIt) {
  options_.mark = 1;
  std::thread unprivileged([&] {
    testing::DropAllCapabilities();
    EXPECT_EQ(Open(To(GetParam())), EPERM);
  });
  unprivileged.join();
  EXPECT_FALSE(socket_.valid());
}

TEST_F(SocketOptionsTest, WhatTheKernelRefusesIsAnErrno) {
  options_.congestion_control = "nosuchalgorithm";
  EXPECT_EQ(Open(To("127.0.0.1")), ENOENT);
  options_.congestion_control = "reno-with-a-name-that-is-too-long";
  EXPECT_EQ(Open(To("127.0.0.1")), ENOENT);
  options_ = SocketOptions();
  options_.keepalive = Keepalive{40'000, 75, 9};
  EXPECT_EQ(Open(To("127.0.0.1")), EINVAL);
  options_ = SocketOptions();
  options_.user_timeout_ms = UINT32_MAX;
  EXPECT_EQ(Open(To("127.0.0.1")), EINVAL);
  options_ = SocketOptions();
  options_.source_v4 = IpAddress::Parse("192.0.2.77");
  EXPECT_EQ(Open(To("127.0.0.1")), EADDRNOTAVAIL);
  options_.source_v6 = IpAddress::Parse("2001:db8::77");
  EXPECT_EQ(Open(To("::1")), EADDRNOTAVAIL);
  EXPECT_FALSE(socket_.valid());
}

// The second would succeed; the first one's errno counts.
TEST_F(SocketOptionsTest, TheFirstThatFailsIsTheLast) {
  options_.interface = "nosuchdevice";
  options_.source_v4 = IpAddress::Parse("192.0.2.77");
  EXPECT_EQ(Open(To("127.0.0.1")), ENODEV);
}

TEST_F(SocketOptionsTest, SourceAddressOfATcpConnection) {
  const auto listener = testing::SilentListener::Listen("127.0.0.1");
  ASSERT_TRUE(listener.ok()) << listener.status();
  options_.source_v4 = IpAddress::Parse("127.0.0.2");
  options_.source_v6 = IpAddress::Parse("2001:db8::77");  // of the other family: left alone
  const Endpoint there = To("127.0.0.1", listener->port());
  ASSERT_EQ(Open(there), 0);
  EXPECT_EQ(Number(socket_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), 1U);
  EXPECT_EQ(LocalName(socket_.get()).port(), 0) << "chosen when the target is known";
  EXPECT_EQ(net_.Connect(socket_.get(), there), EINPROGRESS);
  EXPECT_EQ(LocalName(socket_.get()).ip().ToString(), "127.0.0.2");
  EXPECT_NE(LocalName(socket_.get()).port(), 0);
}

TEST_F(SocketOptionsTest, SourceAddressOfUdpAndOfIpv6) {
  options_.source_v4 = IpAddress::Parse("127.0.0.2");
  options_.source_v6 = IpAddress::Parse("::1");
  ASSERT_EQ(Open(To("127.0.0.1"), kUdp), 0);
  EXPECT_EQ(net_.Connect(socket_.get(), To("127.0.0.1")), 0);
  EXPECT_EQ(LocalName(socket_.get()).ip().ToString(), "127.0.0.2");
  ASSERT_EQ(Open(To("::1")), 0);
  EXPECT_EQ(LocalName(socket_.get()).ip().ToString(), "::1");
}

TEST_F(SocketOptionsTest, AUnixSocketGetsNothing) {
  options_.interface = "nosuchdevice";
  options_.keepalive = Keepalive();
  options_.source_v4 = IpAddress::Parse("192.0.2.77");
  EXPECT_EQ(Open(*Endpoint::Unix("/run/x")), 0);
}

}  // namespace
}  // namespace sockgate
