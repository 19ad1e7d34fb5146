// Tracked connections end to end: real libcurl in a confined worker, a real server, a broker in its
// cage.

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/confined.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/process_stats.h"

namespace sockgate::testing {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kReply[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
constexpr size_t kReplyBytes = sizeof(kReply) - 1;

// The end of what a peer sends came within that time.
bool EndsWithin(int socket, milliseconds patience) {
  const auto give_up = steady_clock::now() + patience;
  std::array<char, 4096> block;
  while (steady_clock::now() < give_up) {
    pollfd entry = {socket, POLLIN, 0};
    if (poll(&entry, 1, 10) == 1 && recv(socket, block.data(), block.size(), MSG_DONTWAIT) <= 0) {
      return true;
    }
  }
  return false;
}

std::string ReadHead(int socket) {
  std::string text;
  char byte;
  while (!absl::EndsWith(text, "\r\n\r\n") && recv(socket, &byte, 1, 0) == 1) text += byte;
  return text;
}

void Say(int socket, absl::string_view text) {
  EXPECT_EQ(send(socket, text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

// In a worker: waits until the descriptor has something to read, and reads that.
std::string ReadSome(int socket) {
  pollfd entry = {socket, POLLIN, 0};
  poll(&entry, 1, 10'000);
  std::string text(65536, '\0');
  const ssize_t size = recv(socket, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return text;
}

class TrackTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  TrackTest() {
    role_.name = "test";
    role_.track = true;
    role_.policy = Policy({*Rule::Parse(Decision::kAllow, "127.0.0.1:*")});
  }

  void Start() { broker_.emplace(StartBrokerWith(role_, UniqueFd(dup(log_.get())))); }
  BrokerProcess& broker() { return *broker_; }

  static CurlAdapterOptions Options() { return {GetParam(), std::chrono::seconds(10), nullptr}; }
  // In a worker: a socket of the broker's that libcurl has nothing to do with.
  static ConnectResult Connect(BrokerClient& client, uint16_t port) {
    ConnectRequest request;
    request.mode = GetParam();
    request.endpoint = Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), port);
    request.deadline_ms = 5000;
    ConnectResult result = client.Connect(request);
    pollfd entry = {result.socket.get(), POLLOUT, 0};
    poll(&entry, 1, 5000);
    return result;
  }

  // Once the broker has stopped: its lines about connections, of which there are so many.
  std::vector<json> Connections(size_t count) {
    broker().Stop();
    std::string text(static_cast<size_t>(lseek(log_.get(), 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(log_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    std::istringstream log(text);
    std::vector<json> lines;
    for (std::string line; std::getline(log, line);) {
      json parsed = json::parse(line);
      if (parsed.at("event") == "connection") lines.push_back(std::move(parsed));
    }
    EXPECT_EQ(lines.size(), count);
    lines.resize(count, {{"closed_by", "nobody"}, {"bytes_sent", 0}, {"bytes_received", 0}});
    return lines;
  }

  Role role_;
  const UniqueFd log_{memfd_create("audit", MFD_CLOEXEC)};
  std::optional<BrokerProcess> broker_;
};

INSTANTIATE_TEST_SUITE_P(Modes, TrackTest,
                         ::testing::Values(ConnectMode::kConnected, ConnectMode::kInProgress),
                         [](const auto& mode) {
                           return mode.param == ConnectMode::kConnected ? "Connected"
                                                                        : "InProgress";
                         });

TEST_P(TrackTest, TheServerHearsOfTheEndWhenLibcurlClosesAndTheLineHasEveryByte) {
  const auto listener = SilentListener::Listen();
  Start();
  ConfinedRun run(broker(), [&](BrokerClient& client) {
    CurlAdapter adapter(&client, Options());
    const std::string text =
        Perform(adapter, absl::StrCat("http://127.0.0.1:", listener->port(), "/")).ToString();
    std::this_thread::sleep_for(milliseconds(3000));
    return text;
  });
  const auto socket = listener->Accept(std::chrono::seconds(10));
  ASSERT_TRUE(socket.ok()) << socket.status();
  const std::string head = ReadHead(socket->get());
  EXPECT_FALSE(EndsWithin(socket->get(), milliseconds(50)));
  const auto begun = steady_clock::now();
  Say(socket->get(), kReply);
  EXPECT_TRUE(EndsWithin(socket->get(), milliseconds(2000)));
  EXPECT_LT(steady_clock::now() - begun, milliseconds(2000)) << "while worker and broker live";
  EXPECT_EQ(run.Text(), "code 0 status 200 body hello\n");
  const json line = Connections(1)[0];
  EXPECT_EQ(line.at("closed_by"), "worker");
  EXPECT_EQ(line.at("bytes_sent"), head.size());
  EXPECT_EQ(line.at("bytes_received"), kReplyBytes);
  EXPECT_EQ(line.at("target"), absl::StrCat("127.0.0.1:", listener->port()));
  EXPECT_GE(line.at("duration_us"), 50'000);
}

TEST_P(TrackTest, ManyTransfersHaveALineEach) {
  ServerProcess server({});
  Start();
  EXPECT_EQ(RunConfined(broker(),
                        [&](BrokerClient& client) {
                          CurlAdapter adapter(&client, Options());
                          size_t bytes = 0;
                          for (int i = 0; i < 20; ++i) {
                            bytes += Perform(adapter, server.Url("/bytes/300000")).body.size();
                          }
                          return absl::StrCat(bytes);
                        }),
            "6000000");
  for (const json& line : Connections(20)) {
    EXPECT_EQ(line.at("closed_by"), "worker");
    EXPECT_GT(line.at("bytes_received"), 300'000);
    EXPECT_LT(line.at("bytes_received"), 301'000);
  }
}

TEST_P(TrackTest, ThePeerThatEndsItFirst) {
  const auto listener = SilentListener::Listen();
  Start();
  ConfinedRun run(broker(), [&](BrokerClient& client) {
    const ConnectResult result = Connect(client, listener->port());
    const std::string text = ReadSome(result.socket.get());
    const bool ended = ReadSome(result.socket.get()).empty();
    std::this_thread::sleep_for(milliseconds(200));
    shutdown(result.socket.get(), SHUT_RDWR);
    return absl::StrCat(result.tracked ? "tracked " : "", text, ended ? " ended" : "");
  });
  auto socket = listener->Accept(std::chrono::seconds(10));
  ASSERT_TRUE(socket.ok()) << socket.status();
  Say(socket->get(), "hello");
  std::this_thread::sleep_for(milliseconds(50));
  socket->Reset();
  EXPECT_EQ(run.Text(), "tracked hello ended");
  const json line = Connections(1)[0];
  EXPECT_EQ(line.at("closed_by"), "peer");
  EXPECT_EQ(line.at("bytes_received"), 5);
}

// What comes after the end is answered with a reset, but by this host's kernel.
TEST_P(TrackTest, ADownloadThatTheWorkerAbandons) {
  ServerProcess server({});
  Start();
  EXPECT_EQ(RunConfined(broker(),
                        [&](BrokerClient& client) {
                          const ConnectResult result = Connect(client, server.port());
                          const std::string head =
                              "GET /bytes/1000000000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
                          send(result.socket.get(), head.data(), head.size(), MSG_NOSIGNAL);
                          size_t bytes = 0;
                          while (bytes < 1'000'000) bytes += ReadSome(result.socket.get()).size();
                          shutdown(result.socket.get(), SHUT_RDWR);
                          std::this_thread::sleep_for(milliseconds(50));
                          return std::string("abandoned");
                        }),
            "abandoned");
  const json line = Connections(1)[0];
  EXPECT_EQ(line.at("closed_by"), "worker");
  EXPECT_GE(line.at("bytes_received"), 1'000'000);
}

TEST_P(TrackTest, AWorkerThatOnlyClosesKeepsItOpenUntilItGoes) {
  const auto listener = SilentListener::Listen();
  Start();
  ConfinedRun run(broker(), [&](BrokerClient& client) {
    Connect(client, listener->port());
    std::this_thread::sleep_for(milliseconds(1000));
    return std::string("closed");
  });
  const auto socket = listener->Accept(std::chrono::seconds(10));
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_FALSE(EndsWithin(socket->get(), milliseconds(300)));
  EXPECT_EQ(run.Text(), "closed");
  EXPECT_TRUE(EndsWithin(socket->get(), milliseconds(5000)));
  EXPECT_EQ(Connections(1)[0].at("closed_by"), "worker-gone");
}

TEST_P(TrackTest, AWorkerThatIsKilledLeavesNothingBehind) {
  const auto listener = SilentListener::Listen();
  Start();
  // Once it has answered it has opened all that it keeps.
  ASSERT_TRUE(BrokerClient::FromDescriptor(*broker().AddWorker("test")).ok());
  std::this_thread::sleep_for(milliseconds(100));
  const size_t before = OpenFdCount(broker().pid()).value();
  ConfinedRun run(broker(), [&](BrokerClient& client) {
    std::vector<ConnectResult> held;
    for (int i = 0; i < 5; ++i) held.push_back(Connect(client, listener->port()));
    std::this_thread::sleep_for(std::chrono::seconds(30));
    return std::string();
  });
  std::vector<UniqueFd> sockets;
  for (int i = 0; i < 5; ++i) sockets.push_back(*listener->Accept(std::chrono::seconds(10)));
  EXPECT_GE(OpenFdCount(broker().pid()).value(), before + 5);
  run.worker().Kill();
  for (const UniqueFd& socket : sockets) {
    EXPECT_TRUE(EndsWithin(socket.get(), milliseconds(5000)));
  }
  EXPECT_TRUE(absl::StrContains(run.Text(), "[signal 9]"));
  for (int i = 0; i < 500 && OpenFdCount(broker().pid()).value() > before; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_LE(OpenFdCount(broker().pid()).value(), before);
  for (const json& line : Connections(5)) EXPECT_EQ(line.at("closed_by"), "worker-gone");
}

TEST_P(TrackTest, OneThatIsTooOldEndsInMidTransfer) {
  ServerProcess server({});
  role_.limits.max_connection_age_s = 1;
  Start();
  const auto begun = steady_clock::now();
  EXPECT_EQ(RunConfined(broker(),
                        [&](BrokerClient& client) {
                          CurlAdapter adapter(&client, Options());
                          return absl::StrCat(Perform(adapter, server.Url("/slow/20000")).code);
                        }),
            absl::StrCat(CURLE_GOT_NOTHING));
  EXPECT_GE(steady_clock::now() - begun, milliseconds(1000));
  EXPECT_LT(steady_clock::now() - begun, milliseconds(10'000));
  EXPECT_EQ(Connections(1)[0].at("closed_by"), "age");
}

TEST_P(TrackTest, ABrokerThatIsKilledLeavesTransfersAlone) {
  ServerProcess server({});
  Start();
  ConfinedRun run(broker(), [&](BrokerClient& client) {
    CurlAdapter adapter(&client, Options());
    return Perform(adapter, server.Url("/slow/800")).ToString();
  });
  std::this_thread::sleep_for(milliseconds(300));
  kill(broker().pid(), SIGKILL);
  EXPECT_TRUE(absl::StartsWith(run.Text(), "code 0 status 200"));
}

TEST_P(TrackTest, SoDoesOneThatStops) {
  ServerProcess server({});
  Start();
  ConfinedRun run(broker(), [&](BrokerClient& client) {
    CurlAdapter adapter(&client, Options());
    return Perform(adapter, server.Url("/slow/800")).ToString();
  });
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(Connections(1)[0].at("closed_by"), "broker-stops");
  EXPECT_TRUE(absl::StartsWith(run.Text(), "code 0 status 200"));
}

}  // namespace
}  // namespace sockgate::testing
