// A worker that asks for what only another one may have: the other's role, the other's leases, the
// other's share of the broker. And who else writes on its channel.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/broker_process.h"
#include "client/launch/worker.h"
#include "proto/codec.h"
#include "proto/packet_socket.h"
#include "tests/escape/broker/raw_channel.h"
#include "tests/integration/confined.h"
#include "tests/integration/server_process.h"

namespace sockgate::escape {
namespace {

using testing::ConfinedRun;
using testing::ServerProcess;

// Also where it leads to this machine.
Rule AllowHost(const char* host) {
  return {Decision::kAllow, *HostPattern::Parse(host), *PortSet::Parse("*"), Transports::Tcp(),
          /*private_addresses=*/true};
}

Role MakeRole(const char* name, std::vector<Rule> rules, Limits limits = Limits()) {
  Role role;
  role.name = name;
  role.policy = Policy(std::move(rules));
  role.limits = limits;
  return role;
}

// localhost and the names below it need no name server.
BrokerProcess StartWith(std::vector<Role> roles) {
  BrokerOptions options;
  options.roles = std::move(roles);
  options.resolver.emplace();
  auto broker = BrokerProcess::Start(std::move(options));
  EXPECT_TRUE(broker.ok()) << broker.status();
  return *std::move(broker);
}

std::string AskFor(BrokerClient& client, uint16_t port) {
  return client.Connect(ConnectTo("127.0.0.1", port)).error.ToString();
}

class OtherRightsTest : public ::testing::Test {
 protected:
  uint16_t port() const { return server_.port(); }

  ServerProcess server_{testing::LoopbackServer::Options()};
};

constexpr char kDenied[] = "denied by the default (no-rule-matches)";

TEST_F(OtherRightsTest, NoHelloChangesTheRole) {
  BrokerProcess broker =
      StartWith({MakeRole("rich", {*Rule::Parse(Decision::kAllow, "127.0.0.1:*")}),
                 MakeRole("poor", {*Rule::Parse(Decision::kAllow, "192.0.2.1:1")})});
  // Whatever a hello carries: capabilities of every kind, and the other role's name behind it.
  ConfinedRun poor = ConfinedRun::Raw(
      broker,
      [this](int descriptor) -> std::string {
        const RawChannel channel(descriptor);
        Hello hello;
        hello.capabilities = 0xffffffff;
        channel.Send(PacketOf(1, hello));
        if (channel.Receive().empty()) return "no hello";
        channel.Send(PacketOf(2, ConnectTo("127.0.0.1", port())));
        return std::string{Word(channel.NextResult().outcome)};
      },
      "poor");
  EXPECT_EQ(poor.Text(), "denied");
  ConfinedRun named = ConfinedRun::Raw(
      broker,
      [](int descriptor) -> std::string {
        const RawChannel channel(descriptor);
        channel.Send(PacketOf(1, Hello()) + "rich");
        return channel.IsClosed() ? "closed" : "open";
      },
      "poor");
  EXPECT_EQ(named.Text(), "closed");
  ConfinedRun rich(
      broker, [this](BrokerClient& client) { return AskFor(client, port()); }, "rich");
  EXPECT_EQ(rich.Text(), "no error");
}

TEST_F(OtherRightsTest, AnothersLeaseIsOfNoUse) {
  BrokerProcess broker = StartWith({MakeRole("test", {AllowHost("mine.localhost")})});
  ConfinedRun owner(broker, [&](BrokerClient& client) {
    const std::string before = AskFor(client, port());
    const ResolveResult resolved = client.Resolve("mine.localhost", NameFamily::kIpv4);
    const std::string after = AskFor(client, port());
    return absl::StrCat(before, "; ", resolved.error.ToString(), "; ", after);
  });
  ConfinedRun other(broker, [this](BrokerClient& client) { return AskFor(client, port()); });
  EXPECT_EQ(owner.Text(), absl::StrCat(kDenied, "; no error; no error"));
  EXPECT_EQ(other.Text(), kDenied);
}

// A worker that looks names up without end loses its own first lease, and nobody else's.
TEST_F(OtherRightsTest, LeasesWithoutEndPushOutTheWorkersOwn) {
  Limits limits;
  limits.max_leases = 8;
  Rule others = AllowHost("*.many.localhost");
  others.ports = *PortSet::Parse("1");
  BrokerProcess broker =
      StartWith({MakeRole("test", {AllowHost("mine.localhost"), others}, limits)});
  const auto look_up_mine = [this](BrokerClient& client) {
    client.Resolve("mine.localhost", NameFamily::kIpv4);
    return AskFor(client, port());
  };
  ConfinedRun greedy(broker, [&](BrokerClient& client) {
    const std::string before = look_up_mine(client);
    for (int i = 0; i < 100; ++i) {
      client.Resolve(absl::StrCat("n", i, ".many.localhost"), NameFamily::kIpv4);
    }
    return absl::StrCat(before, "; ", AskFor(client, port()));
  });
  ConfinedRun other(broker, look_up_mine);
  EXPECT_EQ(other.Text(), "no error");
  EXPECT_EQ(greedy.Text(), absl::StrCat("no error; ", kDenied));
}

// Each limit in turn, by a worker that asks for much more. Another is served meanwhile.
struct Flood {
  const char* name;
  Reason reason;
  std::string (*packet)(uint32_t id);
};

constexpr uint32_t kFloodRequests = 300;

class FloodTest : public ::testing::TestWithParam<Flood> {};

TEST_P(FloodTest, IsLimitedAndLeavesTheOthersTheirShare) {
  ServerProcess server{testing::LoopbackServer::Options()};
  Limits limits;
  limits.max_outstanding = 8;
  limits.max_pending = 16;
  limits.max_channels = 4;
  limits.connects_per_second = 50;
  limits.connect_burst = 50;
  BrokerProcess broker =
      StartWith({MakeRole("test", {*Rule::Parse(Decision::kAllow, "127.0.0.1:*")}, limits)});
  ConfinedRun flood = ConfinedRun::Raw(broker, [](int descriptor) -> std::string {
    const RawChannel channel(descriptor);
    channel.Send(PacketOf(1, Hello()));
    channel.Receive();
    std::vector<UniqueFd> kept;
    for (uint32_t id = 2; id < kFloodRequests; ++id) {
      channel.Send(GetParam().packet(id));
      const Result result = channel.NextResult(&kept.emplace_back());
      if (result.outcome != Outcome::kLimited) continue;
      return absl::StrCat(Word(result.reason), result.retry_after_ms > 0 ? ", later" : "");
    }
    return "never limited";
  });
  ConfinedRun other(broker, [&](BrokerClient& client) { return AskFor(client, server.port()); });
  EXPECT_EQ(other.Text(), "no error");
  EXPECT_EQ(flood.Text(), absl::StrCat(Word(GetParam().reason), ", later"));
}

const Flood kFloods[] = {
    {"Channels", Reason::kChannels, [](uint32_t id) { return PacketOf(id, OpenChannelRequest()); }},
    {"Connects", Reason::kRate,
     [](uint32_t id) { return PacketOf(id, ConnectTo("127.0.0.1", 1)); }},
};

INSTANTIATE_TEST_SUITE_P(Floods, FloodTest, ::testing::ValuesIn(kFloods),
                         [](const auto& flood) { return std::string(flood.param.name); });

// A worker that asks and does not read is not read from, and what it was able to ask is answered.
TEST_F(OtherRightsTest, RequestsWithoutEndHaveToWait) {
  Limits limits;
  limits.max_outstanding = 8;
  BrokerProcess broker =
      StartWith({MakeRole("test", {*Rule::Parse(Decision::kAllow, "127.0.0.1:*")}, limits)});
  ConfinedRun greedy = ConfinedRun::Raw(broker, [this](int descriptor) -> std::string {
    const RawChannel channel(descriptor);
    channel.Send(PacketOf(1, Hello()));
    channel.Receive();
    uint32_t sent = 0;
    while (sent < kFloodRequests &&
           channel.Send(PacketOf(sent + 2, ConnectTo("127.0.0.1", port()))))
      ++sent;
    uint32_t answered = 0;
    while (answered < sent && channel.NextResult().outcome != Outcome::kBadRequest) ++answered;
    return absl::StrCat(sent < kFloodRequests ? "had to wait" : "never had to wait", ", ",
                        sent - answered, " unanswered");
  });
  ConfinedRun other(broker, [this](BrokerClient& client) { return AskFor(client, port()); });
  EXPECT_EQ(other.Text(), "no error");
  EXPECT_EQ(greedy.Text(), "had to wait, 0 unanswered");
}

// Sends standard error along with one byte.
int PassDescriptor(int socket) {
  const uint8_t byte = 0;
  return SendPacket(socket, absl::MakeConstSpan(&byte, 1), STDERR_FILENO, Wait::kYes).status ==
                 PacketStatus::kOk
             ? 0
             : 1;
}

int InAnotherProcess(const std::function<int()>& run) {
  const pid_t pid = fork();
  if (pid == 0) _exit(run());
  int status = -1;
  waitpid(pid, &status, 0);
  return status;
}

// To the worker a descriptor comes by its channel, of which nobody else has the broker's end; one
// that a third process sends into the worker's end reaches the broker, who ends the channel or,
// where the kernel can, does not let it be sent.
TEST_F(OtherRightsTest, AThirdProcessCannotPassADescriptorToTheWorker) {
  BrokerProcess broker = StartWith({MakeRole("test", {AllowHost("none.localhost")})});
  auto channel = broker.AddWorker("test");
  ASSERT_TRUE(channel.ok()) << channel.status();
  const RawChannel worker(channel->get());
  ASSERT_TRUE(worker.Send(PacketOf(1, Hello())));
  ASSERT_FALSE(worker.Receive().empty());
  const bool sent = InAnotherProcess([&] { return PassDescriptor(channel->get()); }) == 0;
  if (sent) {
    EXPECT_TRUE(worker.IsClosed());
  } else {
    UniqueFd came;
    ASSERT_TRUE(worker.Send(PacketOf(2, OpenChannelRequest())));
    EXPECT_EQ(worker.NextResult(&came).outcome, Outcome::kOpened) << "the channel works on";
  }
}

// What the profile leaves open, by intent: a socket that the launcher hands over is one to receive
// by.
TEST_F(OtherRightsTest, ASocketFromTheLauncherCanBringDescriptors) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  ASSERT_EQ(InAnotherProcess([&] { return PassDescriptor(ends[0]); }), 0);
  launch::WorkerOptions options;
  options.keep_descriptors = {ends[1]};
  int channel[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel), 0);
  auto worker = launch::Worker::Start(UniqueFd(channel[1]), options, nullptr, [&](int) {
    UniqueFd came;
    return RawChannel(ends[1]).Receive(&came).size() == 1 && came.valid() ? 0 : 1;
  });
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_EQ(worker->Wait()->code_or_signal, 0);
  for (const int fd : {ends[0], ends[1], channel[0]}) close(fd);
}

// A process that shares the worker's end of the channel, as one that was forked too early would.
TEST_F(OtherRightsTest, AForgedReplyReachesTheBrokerAndNotTheWorker) {
  BrokerProcess broker = StartWith({MakeRole("test", {AllowHost("none.localhost")})});
  auto channel = broker.AddWorker("test");
  ASSERT_TRUE(channel.ok()) << channel.status();
  Reply reply{1, HelloReply()};
  std::get<HelloReply>(reply.body).version = kNewestVersion;
  std::array<uint8_t, kMaxPacketBytes> packet;
  const size_t size = EncodeReply(reply, absl::MakeSpan(packet));
  ASSERT_GT(size, 0U);
  const int shared = channel->get();
  const auto forge = [&] { return send(shared, packet.data(), size, MSG_NOSIGNAL) > 0 ? 0 : 1; };
  ASSERT_EQ(InAnotherProcess(forge), 0);
  // What the worker then reads is the end, and no reply of anybody's.
  EXPECT_TRUE(RawChannel(shared).IsClosed());
  EXPECT_FALSE(BrokerClient::FromDescriptor(*std::move(channel)).ok());
}

}  // namespace
}  // namespace sockgate::escape
