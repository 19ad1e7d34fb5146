// What a worker may send instead of the protocol, and that only it is worse off for it.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <random>
#include <string>

#include "proto/packet_socket.h"
#include "tests/broker/server_world.h"

namespace sockgate {
namespace {

using testing::Bytes;
using testing::ConnectTo;
using testing::Encoded;
using testing::OpenObject;
using testing::ServerWorld;
using testing::TestWorker;

// Offsets of a connect request: header 8 bytes, then transport, mode, purpose, reserved, deadline.
Bytes WithByte(Bytes packet, size_t at, uint8_t value) {
  packet.at(at) = value;
  return packet;
}

Bytes WithSize(Bytes packet, size_t size) {
  packet.resize(size);
  return packet;
}

class SessionGarbageTest : public ::testing::Test, protected ServerWorld {
 protected:
  void ExpectEnd(TestWorker worker, const char* change, const std::string& detail) {
    EXPECT_TRUE(worker.Closed());
    const auto lines = Audit("channel");
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines.back().at("change"), change);
    EXPECT_EQ(lines.back().value("detail", ""), detail);
  }
};

TEST_F(SessionGarbageTest, EveryKindEndsTheChannelAndTheLogNamesTheField) {
  const Bytes hello = Encoded(1, Hello());
  const struct {
    Bytes packet;
    const char* detail;
  } cases[] = {
      {{1}, "header"},
      {WithSize(hello, 7), "id"},
      {WithByte(hello, 0, 0), "type"},
      {WithByte(hello, 0, 0x81), "type"},
      {WithByte(hello, 0, 0xff), "type"},
      {WithByte(hello, 1, 1), "header"},
      {WithByte(hello, 8, 0), "magic"},
      {WithByte(hello, 12, 0), "oldest_version"},
      {WithByte(hello, 14, 0), "newest_version"},
      {WithSize(hello, hello.size() - 1), "capabilities"},
      {WithSize(hello, hello.size() + 1), "trailing bytes"},
      {WithSize(hello, kMaxPacketBytes), "trailing bytes"},
      {WithSize(hello, kMaxPacketBytes + 1), "packet too long"},
      {Bytes(60'000, 0xff), "packet too long"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.detail);
    TestWorker worker = AddWorker();
    EXPECT_EQ(worker.SendBytes(one.packet), 0);
    ExpectEnd(std::move(worker), "violation", one.detail);
  }
  EXPECT_TRUE(AwaitChannels(0));
}

TEST_F(SessionGarbageTest, AConnectRequestThatIsWrongInOneField) {
  const Bytes connect = Encoded(2, ConnectTo());
  const struct {
    Bytes packet;
    const char* detail;
  } cases[] = {
      {WithByte(connect, 8, 3), "transport"},
      {WithByte(connect, 9, 0), "mode"},
      {WithByte(connect, 10, 9), "purpose"},
      {WithByte(connect, 11, 1), "reserved"},
      {WithByte(connect, 15, 0x7f), "deadline_ms"},
      {WithByte(connect, 16, 4), "family"},
      {WithByte(connect, 17, 1), "unix_bytes"},
      {WithByte(connect, 20, 1), "scope_id"},
      {WithByte(connect, 39, 1), "address"},
      {WithSize(connect, connect.size() - 1), "address"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.detail);
    TestWorker worker = AddGreetedWorker();
    EXPECT_EQ(worker.SendBytes(one.packet), 0);
    ExpectEnd(std::move(worker), "violation", one.detail);
  }
  EXPECT_EQ(net.lines(), 0U);
}

TEST_F(SessionGarbageTest, AnEmptyPacketIsTheEndThatItLooksLike) {
  TestWorker worker = AddGreetedWorker();
  EXPECT_EQ(worker.SendBytes({}), 0);
  ExpectEnd(std::move(worker), "closed", "");
}

TEST_F(SessionGarbageTest, OtherSessionsAreUndisturbed) {
  TestWorker good = AddGreetedWorker();
  good.Send(ConnectTo());
  ASSERT_TRUE(AwaitLines(1));
  for (int i = 0; i < 50; ++i) {
    TestWorker bad = AddGreetedWorker();
    bad.Send(ConnectTo());
    bad.SendBytes({0xff});
    EXPECT_TRUE(bad.Closed());
  }
  Do([&] { net.Finish(0); });
  EXPECT_EQ(good.Receive().result().outcome, Outcome::kConnected);
  EXPECT_TRUE(AwaitChannels(1));
  for (size_t i = 1; i < net.lines(); ++i) EXPECT_EQ(net.Holders(i), 0U);
}

TEST_F(SessionGarbageTest, RandomBytesOverValidOnes) {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same bytes every time
  TestWorker good = AddGreetedWorker();
  for (int i = 0; i < 500; ++i) {
    TestWorker worker = AddWorker();
    worker.SendBytes(Encoded(1, Hello()));
    Bytes packet = Encoded(2, ConnectTo());
    for (int j = 0; j < 3; ++j) packet[random() % packet.size()] = static_cast<uint8_t>(random());
    packet.resize(random() % (packet.size() + 4));
    worker.SendBytes(packet);
  }
  EXPECT_TRUE(AwaitChannels(1));
  EXPECT_EQ(good.Ask(ConnectTo("192.0.2.66")).result().outcome, Outcome::kDenied);
}

class SessionDescriptorsTest : public SessionGarbageTest {
 protected:
  // A worker on a channel whose broker's end accepts descriptors, as on a kernel before 6.16.
  TestWorker AddWorkerOnOldKernel() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    Serve(UniqueFd(ends[0]));
    return TestWorker(UniqueFd(ends[1]));
  }
};

TEST_F(SessionDescriptorsTest, EndTheChannelAndAreNotKept) {
  const Bytes packets[] = {Encoded(1, Hello()), {}, {0xff}, Bytes(2000, 1)};
  for (const Bytes& packet : packets) {
    for (const size_t count : {1U, 2U, 30U}) {
      TestWorker worker = AddWorkerOnOldKernel();
      const auto pair = MakeChannelPair();
      const OpenObject object = OpenObject::Of(pair->worker.get());
      EXPECT_EQ(worker.SendBytes(packet, std::vector<int>(count, pair->worker.get())), 0);
      ExpectEnd(std::move(worker), "violation", "descriptors");
      EXPECT_EQ(object.Holders(), 1U);
    }
  }
}

TEST_F(SessionDescriptorsTest, DoNotEvenLeaveWhereTheKernelCanRefuseThem) {
  TestWorker worker = AddGreetedWorker();
  const auto pair = MakeChannelPair();
  const Bytes packet = Encoded(2, ConnectTo("192.0.2.66"));
  const int error = worker.SendBytes(packet, {pair->worker.get()});
  if (error == 0) {
    ExpectEnd(std::move(worker), "violation", "descriptors");
  } else {
    EXPECT_EQ(error, EPERM);
    EXPECT_EQ(worker.Ask(ConnectTo("192.0.2.66")).result().outcome, Outcome::kDenied);
  }
}

}  // namespace
}  // namespace sockgate
