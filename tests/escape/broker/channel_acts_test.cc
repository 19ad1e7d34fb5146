// What an owned worker may write on its channel, from inside the real profile: each forgery ends
// the channel with a line in the audit log, and another worker's fetches go on meanwhile.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/limits.h"
#include "tests/escape/broker/raw_channel.h"
#include "tests/integration/confined.h"
#include "tests/integration/names/audit_file.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"

namespace sockgate::escape {
namespace {

using testing::AuditFile;
using testing::ConfinedRun;
using testing::ServerProcess;

constexpr int kBystanderFetches = 20;

std::string Damaged(std::string packet, size_t at, char value) {
  packet.at(at) = value;
  return packet;
}

std::string Cut(std::string packet, size_t size) {
  packet.resize(size);
  return packet;
}

// A reply, as only the broker sends them.
std::string ForgedReply() {
  return Damaged(PacketOf(2, ConnectTo("127.0.0.1", 80)), 0, static_cast<char>(0x82));
}

struct ChannelAct {
  const char* name;
  std::vector<std::string> packets;  // in order; the first may be a hello
};

std::vector<ChannelAct> ChannelActs() {
  const std::string hello = PacketOf(1, Hello());
  const std::string connect = PacketOf(2, ConnectTo("127.0.0.1", 80));
  return {
      {"NoHello", {PacketOf(1, ConnectTo("127.0.0.1", 80))}},
      {"TwoHellos", {hello, PacketOf(2, Hello())}},
      {"Replayed", {hello, connect, connect}},
      {"AnIdSkipped", {hello, PacketOf(3, ConnectTo("127.0.0.1", 80))}},
      {"AnIdFromThePast", {hello, PacketOf(0, ConnectTo("127.0.0.1", 80))}},
      {"AnIdFromFarAhead", {hello, PacketOf(0xffffffff, ConnectTo("127.0.0.1", 80))}},
      {"AReply", {hello, ForgedReply()}},
      {"AReplyInsteadOfAHello", {ForgedReply()}},
      {"AnUnknownType", {hello, Damaged(connect, 0, 0x7f)}},
      {"AReservedBit", {hello, Damaged(connect, 1, 1)}},
      {"AnUnknownTransport", {hello, Damaged(connect, 8, 9)}},
      {"AnUnknownMode", {hello, Damaged(connect, 9, 9)}},
      {"Short", {hello, Cut(connect, connect.size() - 1)}},
      {"Long", {hello, Cut(connect, connect.size() + 1)}},
      {"OneByte", {hello, "x"}},
      {"Oversized", {hello, std::string(kMaxPacketBytes + 1, 'x')}},
      {"Huge", {hello, std::string(60'000, 'x')}},
      {"OtherBytesThanSockgates", {"GET / HTTP/1.1\r\nHost: broker\r\n\r\n"}},
      {"AVersionFromTheFuture", {Damaged(Damaged(hello, 12, 99), 14, 99), connect}},
  };
}

class ChannelWorld {
 protected:
  ChannelWorld()
      : server_(Plain()), broker_(testing::StartBroker({"127.0.0.1:*"}, audit_.Open())) {}

  static testing::LoopbackServer::Options Plain() { return {}; }

  // Fetches all the while.
  ConfinedRun StartBystander() {
    return ConfinedRun(broker_, [this](BrokerClient& client) -> std::string {
      CurlAdapter adapter(&client, {});
      for (int i = 0; i < kBystanderFetches; ++i) {
        const auto ended = testing::Perform(adapter, server_.Url("/status/204"));
        if (ended.code != CURLE_OK) return ended.ToString();
      }
      return "all well";
    });
  }

  ServerProcess server_;
  AuditFile audit_;
  BrokerProcess broker_;
};

class ChannelActTest : public ::testing::TestWithParam<ChannelAct>, protected ChannelWorld {};
class HonestChannelTest : public ::testing::Test, protected ChannelWorld {};

TEST_P(ChannelActTest, EndsTheChannelAndHurtsNobodyElse) {
  ConfinedRun bystander = StartBystander();
  ConfinedRun hostile = ConfinedRun::Raw(broker_, [](int descriptor) -> std::string {
    const RawChannel channel(descriptor);
    for (const std::string& packet : GetParam().packets) channel.Send(packet);
    return channel.IsClosed() ? "closed" : "still open";
  });
  EXPECT_EQ(hostile.Text(), "closed");
  EXPECT_EQ(bystander.Text(), "all well");
  broker_.Stop();
  size_t told = 0;
  for (const auto& line : audit_.Lines("channel")) told += line.at("change") == "violation" ? 1 : 0;
  EXPECT_EQ(told, 1U);
}

INSTANTIATE_TEST_SUITE_P(Acts, ChannelActTest, ::testing::ValuesIn(ChannelActs()),
                         [](const auto& act) { return std::string(act.param.name); });

// The same hands, keeping to the protocol: so what ended above was the forgery.
TEST_F(HonestChannelTest, WellFormedRequestsAreServed) {
  ConfinedRun honest = ConfinedRun::Raw(broker_, [this](int descriptor) -> std::string {
    const RawChannel channel(descriptor);
    if (!channel.Send(PacketOf(1, Hello())) || channel.Receive().empty()) return "no hello";
    channel.Send(PacketOf(2, ConnectTo("127.0.0.1", server_.port())));
    const std::string first{Word(channel.NextResult().outcome)};
    channel.Send(PacketOf(3, ConnectTo("127.0.0.2", server_.port())));
    return absl::StrCat(first, " ", Word(channel.NextResult().outcome));
  });
  EXPECT_EQ(honest.Text(), "connected denied");
}

}  // namespace
}  // namespace sockgate::escape
