// A worker runs out of descriptors, is interrupted, or meets a broker that stands still: it is told
// what is the matter, goes on as soon as it can, and nothing is left behind. worker_death_test.cc has
// those that do not go on.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/policy/policy_file.h"
#include "client/channel.h"
#include "proto/check.h"
#include "proto/packet_socket.h"
#include "tests/broker/temp_folder.h"
#include "tests/integration/confined.h"
#include "tests/integration/faulty_worker.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/process_stats.h"
#include "tests/support/test_namespace.h"

namespace sockgate::testing {
namespace {

using Kind = ConnectError::Kind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

ConnectRequest To(const std::string& address, uint16_t port, ConnectMode mode,
                  uint32_t deadline_ms = 10'000) {
  ConnectRequest request;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse(address), port);
  request.mode = mode;
  request.deadline_ms = deadline_ms;
  return request;
}

uint16_t PeerPort(int socket) {
  sockaddr_in address = {};
  socklen_t length = sizeof(address);
  getpeername(socket, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

class EitherModeTest : public ::testing::TestWithParam<ConnectMode> {};

INSTANTIATE_TEST_SUITE_P(Modes, EitherModeTest,
                         ::testing::Values(ConnectMode::kConnected, ConnectMode::kInProgress),
                         [](const auto& mode) {
                           return mode.param == ConnectMode::kConnected ? "Connected"
                                                                        : "InProgress";
                         });

// --- no descriptor left ---

std::vector<UniqueFd> FillTable() {
  std::vector<UniqueFd> filling;
  for (int fd; (fd = eventfd(0, EFD_CLOEXEC)) >= 0;) filling.emplace_back(fd);
  return filling;
}

// A step that went otherwise than it should is named.
std::string MeetAFullTable(int channel, const ConnectRequest& request) {
  auto client = BrokerClient::FromDescriptor(UniqueFd(channel));
  if (!client.ok()) return client.status().ToString();
  if (!(*client)->Connect(request).error.ok()) return "before the table is full";
  std::vector<UniqueFd> filling = FillTable();
  if (filling.empty()) return "the table cannot be filled";
  for (int i = 0; i < 100; ++i) {
    const ConnectError error = (*client)->Connect(request).error;
    if (error.kind != Kind::kTableFull || error.error_number != EMFILE) {
      return absl::StrCat("when it is full: ", error.ToString());
    }
  }
  // One number is free from now on: if any had leaked, or were free beside it, it would show.
  filling.pop_back();
  for (int i = 0; i < 100; ++i) {
    const ConnectResult result = (*client)->Connect(request);
    if (!result.error.ok()) return absl::StrCat("with one free: ", result.error.ToString());
    if ((*client)->Connect(request).error.kind != Kind::kTableFull) return "more than one free";
  }
  return "as it should be";
}

TEST_P(EitherModeTest, AFullTableIsSaidAndPasses) {
  const ServerProcess server({});
  BrokerProcess broker = StartBroker({"127.0.0.1:*"});
  const size_t before = FdsAtRest(broker.pid());
  launch::WorkerOptions options;
  options.limits.open_files = 64;
  FaultyWorker run(
      broker, options, [] {},
      [&](int channel) {
        return MeetAFullTable(channel, To("127.0.0.1", server.port(), GetParam()));
      });
  EXPECT_EQ(run.Text(), "as it should be");
  EXPECT_EQ(SettledFds(broker.pid(), before), before);
}

// The channel that a second thread would get has no number either.
TEST(FullTableTest, AChannelThatFindsNoNumberIsNotLostToTheWorker) {
  const ServerProcess server({});
  BrokerProcess broker = StartBroker({"127.0.0.1:*"});
  const size_t before = FdsAtRest(broker.pid());
  launch::WorkerOptions options;
  options.limits.open_files = 64;
  FaultyWorker run(
      broker, options, [] {},
      [&](int channel) {
        auto client = BrokerClient::FromDescriptor(UniqueFd(channel));
        const ConnectRequest request = To("127.0.0.1", server.port(), ConnectMode::kConnected);
        std::vector<UniqueFd> filling = FillTable();
        std::string text;
        // More than a worker may have channels.
        for (int i = 0; i < 100; ++i) {
          if ((*client)->Connect(request).error.kind != Kind::kTableFull) text = "otherwise; ";
        }
        filling.clear();
        return text + (*client)->Connect(request).error.ToString();
      });
  EXPECT_EQ(run.Text(), "no error");
  EXPECT_EQ(SettledFds(broker.pid(), before), before);
}

TEST_P(EitherModeTest, LibcurlSaysThatTheTableIsFullAndGoesOnAfterwards) {
  const ServerProcess server({});
  BrokerProcess broker = StartBroker({"127.0.0.1:*"});
  launch::WorkerOptions options;
  options.limits.open_files = 64;
  FaultyWorker run(
      broker, options, [] {},
      [&](int channel) {
        auto client = BrokerClient::FromDescriptor(UniqueFd(channel));
        CurlAdapter adapter(client->get(), {GetParam(), std::chrono::seconds(10), nullptr});
        std::string text = Perform(adapter, server.Url("/status/204")).ToString();
        std::vector<UniqueFd> filling = FillTable();
        // What libcurl itself needs for a transfer, but for the socket.
        for (int i = 0; i < 8 && !filling.empty(); ++i) {
          const Ended ended = Perform(adapter, server.Url("/status/204"));
          if (ended.code == CURLE_COULDNT_CONNECT) {
            absl::StrAppend(&text, "; ", ended.error.ToString());
            break;
          }
          filling.pop_back();
        }
        filling.clear();
        return absl::StrCat(text, "; ", Perform(adapter, server.Url("/status/204")).ToString());
      });
  EXPECT_EQ(run.Text(),
            "code 0 status 204 body ; this process has no descriptor left (raise its "
            "RLIMIT_NOFILE); code 0 status 204 body ");
}

// --- interrupted everywhere ---

std::atomic<int> g_interruptions = 0;

// A signal every millisecond, whose handler interrupts what waits.
void BeginStorm() {
  struct sigaction handler = {};
  handler.sa_handler = [](int) { ++g_interruptions; };
  SOCKGATE_CHECK(sigaction(SIGALRM, &handler, nullptr) == 0);
  const itimerval storm = {{0, 1000}, {0, 1000}};
  SOCKGATE_CHECK(setitimer(ITIMER_REAL, &storm, nullptr) == 0);
}

BrokerProcess StartNamingBroker(const std::string& hosts) {
  LoadedPolicy loaded = ParsePolicy(
      absl::StrCat("version = 1\n[resolver]\nservers = ['127.0.0.1:1']\nhosts = '", hosts,
                   "'\n[roles.test]\nallow = [{ host = '*.test', ports = '*', private = true }]\n"
                   "[roles.test.limits]\nconnects_per_second = 100000\nconnect_burst = 100000\n"
                   "lookups_per_second = 100000\nlookup_burst = 100000\n"));
  SOCKGATE_CHECK(loaded.policy.has_value());
  BrokerOptions options;
  options.roles = std::move(loaded.policy->roles);
  options.resolver = std::move(loaded.policy->resolver);
  auto broker = BrokerProcess::Start(std::move(options));
  SOCKGATE_CHECK(broker.ok());
  return *std::move(broker);
}

TEST(InterruptedTest, AThousandConnectsAndLookups) {
  const TempFolder folder;
  std::ofstream(folder / "hosts") << "127.0.0.1 a.test\n";
  const ServerProcess server({});
  BrokerProcess broker = StartNamingBroker(folder / "hosts");
  const size_t before = FdsAtRest(broker.pid());
  FaultyWorker run(broker, {}, BeginStorm, [&](int channel) {
    auto client = BrokerClient::FromDescriptor(UniqueFd(channel));
    if (!client.ok()) return client.status().ToString();
    for (int i = 0; i < 1000; ++i) {
      const ResolveResult found = (*client)->Resolve("a.test", NameFamily::kAny);
      if (!found.error.ok()) return absl::StrCat("lookup ", i, ": ", found.error.ToString());
      const auto mode = i % 2 == 0 ? ConnectMode::kConnected : ConnectMode::kInProgress;
      const ConnectResult got = (*client)->Connect(To("127.0.0.1", server.port(), mode));
      if (!got.error.ok()) return absl::StrCat("connect ", i, ": ", got.error.ToString());
    }
    // With the odd wait in it.
    CurlAdapter adapter(client->get(), {});
    const std::string slow = Perform(adapter, server.Url("/slow/300")).ToString();
    return absl::StrCat(slow, g_interruptions > 100 ? "" : "; hardly interrupted");
  });
  EXPECT_EQ(run.Text().substr(0, 17), "code 0 status 200");
  EXPECT_EQ(SettledFds(broker.pid(), before), before);
}

// Each interruption wakes the wait for the handshake; none of them may end it, or make it longer.
TEST(InterruptedTest, ADeadlineIsKept) {
  BrokerProcess broker = StartBroker({"203.0.113.0/24:*"});
  FaultyWorker run(broker, {}, BeginStorm, [&](int channel) {
    auto client = BrokerClient::FromDescriptor(UniqueFd(channel));
    const auto begun = steady_clock::now();
    const ConnectError error =
        (*client)->Connect(To(kBlackHoleV4, 80, ConnectMode::kConnected, 800)).error;
    const auto took = steady_clock::now() - begun;
    return absl::StrCat(error.ToString(), took < milliseconds(790) ? " early" : "",
                        took > milliseconds(1800) ? " late" : "");
  });
  EXPECT_EQ(run.Text(), "allowed, but the connection failed: Connection timed out");
}

// --- a broker that stands still ---

// So small that the test need not wait for 100 ms each time.
void SetTick(int channel) {
  const timeval tick = {0, 1000};
  SOCKGATE_CHECK(setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick)) == 0);
  SOCKGATE_CHECK(setsockopt(channel, SOL_SOCKET, SO_SNDTIMEO, &tick, sizeof(tick)) == 0);
}

TEST(StoppedBrokerTest, AFullChannelIsNoAnswerAndWhatComesLateIsClosed) {
  const auto abandoned = SilentListener::Listen();
  const auto wanted = SilentListener::Listen();
  ASSERT_TRUE(abandoned.ok() && wanted.ok());
  BrokerProcess broker = StartBroker({"127.0.0.1:*"});
  const size_t brokers_before = FdsAtRest(broker.pid());
  auto end = broker.AddWorker("test");
  ASSERT_TRUE(end.ok());
  SetTick(end->get());
  Channel channel(*std::move(end));
  Reply reply;
  UniqueFd descriptor;
  ASSERT_EQ(channel.Call(Hello(), milliseconds(5000), &reply, &descriptor), Kind::kNone);
  const size_t before = *OpenFdCount(getpid());

  ASSERT_EQ(kill(broker.pid(), SIGSTOP), 0);
  // Until the kernel takes no more, and then some.
  int unsent = 0;
  for (int i = 0; i < 2000 && unsent < 20; ++i) {
    const auto begun = steady_clock::now();
    const ConnectRequest request = To("127.0.0.1", abandoned->port(), ConnectMode::kConnected);
    ASSERT_EQ(channel.Call(request, milliseconds(2), &reply, &descriptor), Kind::kNoAnswer);
    EXPECT_FALSE(descriptor.valid());
    ASSERT_LT(steady_clock::now() - begun, milliseconds(500));
    if (!channel.sent()) ++unsent;
  }
  EXPECT_EQ(unsent, 20);
  ASSERT_EQ(kill(broker.pid(), SIGCONT), 0);

  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(channel.Call(To("127.0.0.1", wanted->port(), ConnectMode::kConnected),
                           milliseconds(10'000), &reply, &descriptor),
              Kind::kNone);
    const Result& result = std::get<ConnectReply>(reply.body).result;
    ASSERT_EQ(result.outcome, Outcome::kConnected) << Word(result.reason);
    EXPECT_EQ(PeerPort(descriptor.get()), wanted->port()) << "not what was asked for before";
  }
  EXPECT_EQ(*OpenFdCount(getpid()), before + 1) << "the last socket";
  // Those that nobody waits for are closed here too: their far side sees the end.
  int late = 0;
  for (auto far_side = abandoned->Accept(milliseconds(0)); far_side.ok();
       far_side = abandoned->Accept(milliseconds(0))) {
    pollfd one = {far_side->get(), POLLIN, 0};
    ASSERT_EQ(poll(&one, 1, 5000), 1);
    ++late;
  }
  EXPECT_GT(late, 0);
  channel.Close();
  descriptor.Reset();
  EXPECT_EQ(SettledFds(broker.pid(), brokers_before), brokers_before);
}

TEST(StoppedBrokerTest, AllThreadsAreToldInTimeAndServedAfterwards) {
  BrokerProcess broker = StartBroker({"127.0.0.1:*"});
  const size_t brokers_before = FdsAtRest(broker.pid());
  auto end = broker.AddWorker("test");
  ASSERT_TRUE(end.ok());
  const auto abandoned = SilentListener::Listen();
  const auto wanted = SilentListener::Listen();
  ASSERT_TRUE(abandoned.ok() && wanted.ok());
  {
    const auto client = *BrokerClient::FromDescriptor(*std::move(end));
    const auto connect = [&](uint16_t port) {
      return client->Connect(To("127.0.0.1", port, ConnectMode::kInProgress));
    };
    ASSERT_TRUE(connect(wanted->port()).error.ok());
    const size_t before = *OpenFdCount(getpid());
    ASSERT_EQ(kill(broker.pid(), SIGSTOP), 0);
    const auto begun = steady_clock::now();
    std::vector<std::thread> threads(2);
    for (std::thread& thread : threads) {
      thread =
          std::thread([&] { EXPECT_EQ(connect(abandoned->port()).error.kind, Kind::kNoAnswer); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_LT(steady_clock::now() - begun, milliseconds(6000));
    ASSERT_EQ(kill(broker.pid(), SIGCONT), 0);
    for (int i = 0; i < 50; ++i) {
      const ConnectResult result = connect(wanted->port());
      ASSERT_TRUE(result.error.ok()) << result.error.ToString();
      ASSERT_EQ(PeerPort(result.socket.get()), wanted->port());
    }
    EXPECT_LE(*OpenFdCount(getpid()), before);
  }
  EXPECT_EQ(SettledFds(broker.pid(), brokers_before), brokers_before);
}

}  // namespace
}  // namespace sockgate::testing
