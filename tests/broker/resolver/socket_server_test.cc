// The broker's side of the socket channel, against a resolver played by the test.

#include "broker/resolver/socket_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "broker/resolver/resolver_codec.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

using Bytes = std::vector<uint8_t>;

template <typename Message>
Bytes Encoded(const Message& message) {
  Bytes bytes(kMaxPacketBytes);
  bytes.resize(Encode(message, absl::MakeSpan(bytes)));
  return bytes;
}

class SocketServerTest : public ::testing::Test {
 protected:
  SocketServerTest()
      : pair_(MakeChannelPair()),
        resolver_(std::move(pair_->worker)),
        server_(std::move(pair_->broker)) {}

  absl::Status Say(const Bytes& packet) {
    EXPECT_EQ(SendPacket(resolver_.get(), packet, -1, Wait::kNo).status, PacketStatus::kOk);
    return server_.Serve(now_);
  }

  void SayServers() {
    const ServerList list{{Endpoint::Ip(IpAddress::V4({127, 0, 0, 1}), 5300),
                           Endpoint::Ip(IpAddress::V4({127, 0, 0, 2}), 5301)}};
    ASSERT_TRUE(Say(Encoded(list)).ok());
    ASSERT_EQ(server_.servers(), list.servers);
  }

  struct Heard {
    SocketReply reply;
    UniqueFd fd;
  };
  Heard Hear() {
    std::array<uint8_t, kMaxPacketBytes> packet;
    Received received =
        ReceivePacket(resolver_.get(), absl::MakeSpan(packet), Accept::kOneDescriptor, Wait::kNo);
    Heard heard;
    EXPECT_EQ(received.status, PacketStatus::kOk);
    EXPECT_TRUE(
        DecodeSocketReply(absl::MakeConstSpan(packet).first(received.size), &heard.reply).ok());
    heard.fd = std::move(received.fd);
    return heard;
  }

  std::optional<ChannelPair> pair_;
  UniqueFd resolver_;
  SocketServer server_;
  SocketServer::TimePoint now_ = std::chrono::steady_clock::now();
};

TEST_F(SocketServerTest, OpensWhatIsOrderedTowardsTheServerThatIsNamed) {
  SayServers();
  ASSERT_TRUE(Say(Encoded(SocketOrder{5, 1, Transport::kDatagram})).ok());
  const Heard heard = Hear();
  EXPECT_EQ(heard.reply.id, 5U);
  EXPECT_EQ(heard.reply.error, 0U);
  ASSERT_TRUE(heard.fd.valid());
  sockaddr_storage peer;
  socklen_t length = sizeof(peer);
  ASSERT_EQ(getpeername(heard.fd.get(), reinterpret_cast<sockaddr*>(&peer), &length), 0);
  EXPECT_EQ(Endpoint::FromSockaddr(reinterpret_cast<sockaddr*>(&peer), length),
            server_.servers()[1]);
  EXPECT_NE(fcntl(heard.fd.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(SocketServerTest, BeginsToConnectTcp) {
  SayServers();
  ASSERT_TRUE(Say(Encoded(SocketOrder{5, 0, Transport::kStream})).ok());
  const Heard heard = Hear();
  int type = 0;
  socklen_t length = sizeof(type);
  EXPECT_TRUE(heard.fd.valid() || heard.reply.error == ECONNREFUSED);
  if (!heard.fd.valid()) return;
  ASSERT_EQ(getsockopt(heard.fd.get(), SOL_SOCKET, SO_TYPE, &type, &length), 0);
  EXPECT_EQ(type, SOCK_STREAM);
}

TEST_F(SocketServerTest, EachOrderHasANewSourcePort) {
  SayServers();
  std::array<uint16_t, 2> ports;
  for (uint16_t& port : ports) {
    ASSERT_TRUE(Say(Encoded(SocketOrder{1, 0, Transport::kDatagram})).ok());
    const Heard heard = Hear();
    sockaddr_in self = {};
    socklen_t length = sizeof(self);
    getsockname(heard.fd.get(), reinterpret_cast<sockaddr*>(&self), &length);
    port = ntohs(self.sin_port);
  }
  EXPECT_NE(ports[0], ports[1]);
}

void ExpectMisbehaviour(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
}

TEST_F(SocketServerTest, AnOrderBeforeTheServersIsMisbehaviour) {
  ExpectMisbehaviour(Say(Encoded(SocketOrder{1, 0, Transport::kDatagram})));
}

TEST_F(SocketServerTest, AnUnknownServerIsMisbehaviour) {
  SayServers();
  ExpectMisbehaviour(Say(Encoded(SocketOrder{1, 2, Transport::kDatagram})));
}

TEST_F(SocketServerTest, AnotherListIsMisbehaviour) {
  SayServers();
  ExpectMisbehaviour(Say(Encoded(ServerList{{Endpoint::Ip(IpAddress::V4({10, 0, 0, 1}), 22)}})));
}

TEST_F(SocketServerTest, GarbageIsMisbehaviour) {
  SayServers();
  ExpectMisbehaviour(Say({1, 2, 3}));
}

TEST_F(SocketServerTest, ALongPacketIsMisbehaviour) {
  SayServers();
  ExpectMisbehaviour(Say(Bytes(kMaxPacketBytes + 1, 3)));
}

TEST_F(SocketServerTest, NotReadingRepliesIsMisbehaviour) {
  SayServers();
  absl::Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) {
    status = Say(Encoded(SocketOrder{1, 0, Transport::kDatagram}));
  }
  ExpectMisbehaviour(status);
}

TEST_F(SocketServerTest, TooManyOrdersAreRefusedAndAFloodIsMisbehaviour) {
  SayServers();
  uint32_t opened = 0;
  absl::Status status;
  for (uint32_t i = 0; i < 5 * kMaxSocketsPerSecond && status.ok(); ++i) {
    status = Say(Encoded(SocketOrder{i, 0, Transport::kDatagram}));
    if (!status.ok()) break;
    const Heard heard = Hear();
    if (heard.fd.valid()) ++opened;
    EXPECT_TRUE(heard.fd.valid() || heard.reply.error == EAGAIN);
  }
  ExpectMisbehaviour(status);
  EXPECT_EQ(opened, kMaxSocketsPerSecond);
}

TEST_F(SocketServerTest, TheNextSecondHasRoomAgain) {
  SayServers();
  for (uint32_t i = 0; i <= kMaxSocketsPerSecond; ++i) {
    ASSERT_TRUE(Say(Encoded(SocketOrder{i, 0, Transport::kDatagram})).ok());
    EXPECT_EQ(Hear().fd.valid(), i < kMaxSocketsPerSecond);
  }
  now_ += std::chrono::seconds(1);
  ASSERT_TRUE(Say(Encoded(SocketOrder{1, 0, Transport::kDatagram})).ok());
  EXPECT_TRUE(Hear().fd.valid());
}

TEST_F(SocketServerTest, TheEndOfTheResolverIsNoMisbehaviour) {
  SayServers();
  resolver_.Reset();
  EXPECT_EQ(server_.Serve(now_).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace sockgate
