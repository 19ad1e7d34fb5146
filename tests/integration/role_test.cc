// What a role says besides addresses, end to end: UNIX paths, UDP, socket options, and workers that
// must show that they are confined.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "broker/broker.h"
#include "client/launch/confine.h"
#include "tests/broker/temp_folder.h"
#include "tests/integration/confined.h"
#include "tests/integration/pipe_text.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::testing {
namespace {

namespace fs = std::filesystem;

Role RoleWith(std::vector<Rule> rules) {
  Role role;
  role.name = "test";
  role.policy = Policy(std::move(rules));
  return role;
}

Rule Allow(const std::string& place, Transports transports = Transports::Tcp()) {
  Rule rule = *Rule::Parse(Decision::kAllow, place);
  rule.transports = transports;
  return rule;
}

ConnectRequest To(uint16_t port, Transport transport = Transport::kStream) {
  ConnectRequest request;
  request.transport = transport;
  request.deadline_ms = 5000;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), port);
  return request;
}

class EitherModeTest : public ::testing::TestWithParam<ConnectMode> {};

INSTANTIATE_TEST_SUITE_P(Modes, EitherModeTest,
                         ::testing::Values(ConnectMode::kConnected, ConnectMode::kInProgress),
                         [](const auto& mode) {
                           return mode.param == ConnectMode::kConnected ? "Connected"
                                                                        : "InProgress";
                         });

class UnixFetchTest : public EitherModeTest {
 protected:
  static LoopbackServer::Options At(const std::string& path) {
    LoopbackServer::Options options;
    options.unix_path = path;
    return options;
  }

  // A worker under a role that allows `path_` fetches from `path`.
  std::string Fetch(const std::string& path) {
    Rule rule = Allow("127.0.0.1:1");
    rule.target = *UnixPath::Parse(path_);
    BrokerProcess broker = StartBrokerWith(RoleWith({rule}));
    TransferOptions options;
    options.unix_path = path;
    return RunConfined(broker, [&](BrokerClient& client) {
      CurlAdapter adapter(&client, {GetParam(), std::chrono::seconds(10), nullptr});
      const Ended ended = Perform(adapter, "http://server/status/204", options);
      return absl::StrCat("code ", ended.code, " status ", ended.status, "; ", ended.explanation);
    });
  }

  TempFolder folder_;
  const std::string path_ = folder_ / "server";
};

INSTANTIATE_TEST_SUITE_P(Modes, UnixFetchTest,
                         ::testing::Values(ConnectMode::kConnected, ConnectMode::kInProgress),
                         [](const auto& mode) {
                           return mode.param == ConnectMode::kConnected ? "Connected"
                                                                        : "InProgress";
                         });

TEST_P(UnixFetchTest, FromThePathThatIsAllowed) {
  ServerProcess server(At(path_));
  EXPECT_EQ(Fetch(path_), "code 0 status 204; No error");
}

TEST_P(UnixFetchTest, FromNoOther) {
  ServerProcess server(At(folder_ / "other"));
  EXPECT_EQ(Fetch(folder_ / "other"), absl::StrCat("code 7 status 0; unix:", folder_ / "other",
                                                   ": denied by the default (no-rule-matches)"));
}

TEST_P(UnixFetchTest, NotThroughALinkAtThatPath) {
  ServerProcess server(At(folder_ / "other"));
  fs::create_symlink(folder_ / "other", path_);
  EXPECT_EQ(Fetch(path_), absl::StrCat("code 7 status 0; unix:", path_,
                                       ": allowed, but the connection failed: "
                                       "Too many levels of symbolic links"));
}

class UdpTest : public ::testing::Test {
 protected:
  UdpTest() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage address;
    const socklen_t length = To(0).endpoint.ToSockaddr(&address);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    port_ = *LocalPort(socket_.get());
  }

  // Answers one datagram with the same in capitals.
  void AnswerOne() {
    pollfd entry = {socket_.get(), POLLIN, 0};
    ASSERT_EQ(poll(&entry, 1, 10'000), 1);
    std::array<char, 64> text;
    sockaddr_storage from;
    socklen_t length = sizeof(from);
    auto* address = reinterpret_cast<sockaddr*>(&from);
    const ssize_t size = recvfrom(socket_.get(), text.data(), text.size(), 0, address, &length);
    ASSERT_EQ(std::string(text.data(), static_cast<size_t>(size)), "question");
    EXPECT_EQ(sendto(socket_.get(), "answer", 6, 0, address, length), 6);
  }

  UniqueFd socket_;
  uint16_t port_ = 0;
};

std::string AskByUdp(BrokerClient& client, uint16_t port) {
  const auto result = client.Connect(To(port, Transport::kDatagram));
  if (!result.error.ok()) return result.error.ToString();
  if (send(result.socket.get(), "question", 8, 0) != 8) return "not sent";
  pollfd entry = {result.socket.get(), POLLIN, 0};
  poll(&entry, 1, 10'000);
  std::array<char, 64> text;
  const ssize_t size = recv(result.socket.get(), text.data(), text.size(), 0);
  return size < 0 ? "nothing" : std::string(text.data(), static_cast<size_t>(size));
}

TEST_F(UdpTest, ARuleThatNamesItGivesAConnectedSocket) {
  for (const Transports transports : {Transports::Udp(), Transports::Both()}) {
    BrokerProcess broker = StartBrokerWith(RoleWith({Allow("127.0.0.1:*", transports)}));
    ConfinedRun run(broker, [&](BrokerClient& client) { return AskByUdp(client, port_); });
    AnswerOne();
    EXPECT_EQ(run.Text(), "answer");
  }
}

TEST_F(UdpTest, ARuleThatDoesNotNameItDeniesIt) {
  BrokerProcess broker = StartBrokerWith(RoleWith({Allow("127.0.0.1:*")}));
  EXPECT_EQ(RunConfined(broker, [&](BrokerClient& client) { return AskByUdp(client, port_); }),
            "denied (transport)");
}

std::string OptionsOf(int socket) {
  std::string text;
  constexpr std::array<std::array<int, 2>, 7> kOptions = {{{SOL_SOCKET, SO_MARK},
                                                           {IPPROTO_IP, IP_TOS},
                                                           {SOL_SOCKET, SO_KEEPALIVE},
                                                           {IPPROTO_TCP, TCP_KEEPIDLE},
                                                           {IPPROTO_TCP, TCP_KEEPINTVL},
                                                           {IPPROTO_TCP, TCP_KEEPCNT},
                                                           {IPPROTO_TCP, TCP_USER_TIMEOUT}}};
  for (const auto& [level, name] : kOptions) {
    int value = -1;
    socklen_t length = sizeof(value);
    getsockopt(socket, level, name, &value, &length);
    absl::StrAppend(&text, value, " ");
  }
  return text;
}

TEST_P(EitherModeTest, AWorkersSocketHasAllThatTheRoleWants) {
  const auto listener = SilentListener::Listen();
  ASSERT_TRUE(listener.ok()) << listener.status();
  Role role = RoleWith({Allow("127.0.0.1:*")});
  SocketOptions& options = role.socket_options;
  options.source_v4 = IpAddress::Parse("127.0.0.2");
  options.interface = "lo";
  if (geteuid() == 0) options.mark = 7;
  options.tos = 0x48;
  options.keepalive = Keepalive{11, 12, 13};
  options.user_timeout_ms = 4321;
  options.congestion_control = "reno";
  BrokerProcess broker = StartBrokerWith(role);
  // Here, for a confined worker cannot ask for its options.
  const auto client = BrokerClient::FromDescriptor(*broker.AddWorker("test"));
  ASSERT_TRUE(client.ok()) << client.status();
  ConnectRequest request = To(listener->port());
  request.mode = GetParam();
  const auto result = (*client)->Connect(request);
  ASSERT_TRUE(result.error.ok()) << result.error.ToString();
  EXPECT_EQ(OptionsOf(result.socket.get()),
            absl::StrCat(geteuid() == 0 ? 7 : 0, " 72 1 11 12 13 4321 "));
  const auto accepted = listener->Accept(std::chrono::seconds(5));
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  sockaddr_storage address;
  socklen_t length = sizeof(address);
  auto* peer = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(getpeername(accepted->get(), peer, &length), 0);
  EXPECT_EQ(Endpoint::FromSockaddr(peer, length)->ip().ToString(), "127.0.0.2");
}

TEST_P(EitherModeTest, ASocketThatCannotHaveItIsNotConnected) {
  const auto listener = SilentListener::Listen();
  ASSERT_TRUE(listener.ok()) << listener.status();
  Role role = RoleWith({Allow("127.0.0.1:*")});
  role.socket_options.interface = "nosuchdevice";
  BrokerProcess broker = StartBrokerWith(role);
  EXPECT_EQ(RunConfined(broker,
                        [&](BrokerClient& client) {
                          ConnectRequest request = To(listener->port());
                          request.mode = GetParam();
                          return client.Connect(request).error.ToString();
                        }),
            "allowed, but the connection failed: No such device");
  EXPECT_FALSE(listener->Accept(std::chrono::milliseconds(100)).ok());
}

// Asks, confines itself, asks again until the broker has looked again.
std::string ConfineItself(const std::string& path, uint16_t port) {
  auto client = BrokerClient::FromPath(path);
  if (!client.ok()) return client.status().ToString();
  const std::string before = (*client)->Connect(To(port)).error.ToString();
  const absl::Status confined = launch::Confine(launch::FetcherProfile()).status();
  std::string after = before;
  for (int i = 0; i < 500 && after == before; ++i) {
    poll(nullptr, 0, 20);
    after = (*client)->Connect(To(port)).error.ToString();
  }
  return absl::StrCat(before, "; ", confined.ToString(), "; ", after);
}

TEST(RequireConfinedTest, AWorkerThatCameByAPathIsServedOnceItIsConfined) {
  const auto listener = SilentListener::Listen();
  ASSERT_TRUE(listener.ok()) << listener.status();
  const TempFolder folder;
  Role role = RoleWith({Allow("127.0.0.1:*")});
  role.require_confined = true;
  BrokerOptions options;
  options.roles.push_back(role);
  auto broker = *Broker::Create(std::move(options));
  ASSERT_TRUE(broker->Listen({folder / "broker", "test"}).ok());

  // Its connect(2) waits in the backlog until the broker runs; a thread now would be in its way.
  Pipe pipe;
  const pid_t child = fork();
  if (child == 0) {
    pipe.reader.Reset();
    WriteAll(pipe.writer.get(), ConfineItself(folder / "broker", listener->port()));
    _exit(0);
  }
  pipe.writer.Reset();
  std::thread thread([&] { broker->Run(); });
  EXPECT_EQ(ReadAll(pipe.reader.get()), "denied (not-confined); OK; no error");
  waitpid(child, nullptr, 0);
  broker->Stop();
  thread.join();
}

}  // namespace
}  // namespace sockgate::testing
