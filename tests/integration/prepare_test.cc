// Transfers whose sockets were asked for ahead of need: real libcurl in a confined worker, real
// sockets, a broker in its cage.

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/confined.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/process_stats.h"
#include "tests/support/test_namespace.h"

namespace sockgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kDone[] = "code 0 status 204 body ";

// In a worker: the broker answers, and the client takes the answers.
void Settle(BrokerClient& client) {
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(milliseconds(5));
    client.Progress();
  }
}

std::string Counts(const BrokerClient& client) {
  const AheadCounts counts = client.ahead_counts();
  return absl::StrCat("asked ", counts.asked, " used ", counts.used, " expired ", counts.expired,
                      " closed ", counts.closed, " missed ", counts.missed);
}

bool EndsWithin(int socket, milliseconds patience) {
  pollfd entry = {socket, POLLIN, 0};
  char byte;
  return poll(&entry, 1, static_cast<int>(patience.count())) == 1 &&
         recv(socket, &byte, 1, MSG_DONTWAIT) <= 0;
}

class PrepareTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  void Start(Limits limits = Limits(), bool track = false) {
    Role role;
    role.name = "test";
    role.limits = limits;
    role.track = track;
    role.policy = Policy({*Rule::Parse(Decision::kAllow, "127.0.0.0/8:*"),
                          *Rule::Parse(Decision::kAllow, "203.0.113.0/24:*")});
    broker_.emplace(StartBrokerWith(std::move(role)));
  }
  BrokerProcess& broker() { return *broker_; }

  static CurlAdapterOptions Options() { return {GetParam(), std::chrono::seconds(10), nullptr}; }

  static AheadTarget Target(const std::string& literal, uint16_t port) {
    AheadTarget target;
    target.request.mode = GetParam();
    target.request.deadline_ms = 10'000;
    target.request.endpoint = Endpoint::Ip(*IpAddress::Parse(literal), port);
    return target;
  }

  std::optional<BrokerProcess> broker_;
};

INSTANTIATE_TEST_SUITE_P(Modes, PrepareTest,
                         ::testing::Values(ConnectMode::kConnected, ConnectMode::kInProgress),
                         [](const auto& mode) {
                           return mode.param == ConnectMode::kConnected ? "Connected"
                                                                        : "InProgress";
                         });

TEST_P(PrepareTest, ATransferFindsItsSocketThere) {
  ServerProcess server({});
  Start();
  for (const bool settled : {true, false}) {
    EXPECT_EQ(RunConfined(broker(),
                          [&](BrokerClient& client) {
                            CurlAdapter adapter(&client, Options());
                            const std::string url = server.Url("/status/204");
                            adapter.Prepare(nullptr, url);
                            if (settled) Settle(client);
                            const Ended ended = Perform(adapter, url);
                            return ended.ToString() + Counts(client);
                          }),
              absl::StrCat(kDone, "asked 1 used 1 expired 0 closed 0 missed 0"));
  }
}

TEST_P(PrepareTest, AHundredTransfersInOneMulti) {
  ServerProcess server({});
  Start();
  EXPECT_EQ(RunConfined(broker(),
                        [&](BrokerClient& client) {
                          CurlAdapter adapter(&client, Options());
                          TransferOptions options;
                          options.prepare = true;
                          const std::vector<std::string> urls(100, server.Url("/status/204"));
                          size_t done = 0;
                          for (const Ended& ended : PerformTogether(adapter, urls, options)) {
                            done += ended.ToString() == kDone ? 1 : 0;
                          }
                          const AheadCounts counts = client.ahead_counts();
                          return absl::StrCat(done, " done, ", counts.asked, " asked, ",
                                              counts.used >= 20 ? "many" : "few", " used");
                        }),
            "100 done, 100 asked, many used");
}

// One handle: libcurl keeps the connection, and the second transfer needs none.
TEST_P(PrepareTest, WhatAReusedConnectionLeavesOverGoesToTheNextTransfer) {
  ServerProcess server({});
  Start();
  EXPECT_EQ(RunConfined(broker(),
                        [&](BrokerClient& client) {
                          CurlAdapter adapter(&client, Options());
                          const std::string url = server.Url("/status/204");
                          CURL* easy = curl_easy_init();
                          curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
                          curl_easy_setopt(easy, CURLOPT_PROXY, "");
                          std::string codes;
                          for (int i = 0; i < 3; ++i) {
                            if (!adapter.Attach(easy).ok()) return std::string("not attached");
                            adapter.Prepare(easy, url);
                            absl::StrAppend(&codes, curl_easy_perform(easy), " ");
                          }
                          adapter.Detach(easy);
                          curl_easy_cleanup(easy);
                          codes += Perform(adapter, url).ToString();
                          return codes + Counts(client);
                        }),
            absl::StrCat("0 0 0 ", kDone, "asked 2 used 2 expired 0 closed 0 missed 0"));
}

TEST_P(PrepareTest, AnotherAddressIsAskedForAsEver) {
  ServerProcess server({});
  Start();
  EXPECT_EQ(RunConfined(broker(),
                        [&](BrokerClient& client) {
                          CurlAdapter adapter(&client, Options());
                          adapter.Preconnect("127.0.0.2", server.port(), 1);
                          TransferOptions options;
                          options.resolve = {absl::StrCat("a.test:", server.port(), ":127.0.0.1")};
                          const std::string url =
                              absl::StrCat("http://a.test:", server.port(), "/status/204");
                          const Ended ended = Perform(adapter, url, options);
                          return absl::StrCat(ended.ToString(), client.ahead_counts().used);
                        }),
            absl::StrCat(kDone, 0));
}

TEST_P(PrepareTest, AServerThatClosesBeforeItIsUsedIsConnectedToAnew) {
  const auto listener = SilentListener::Listen();
  Start();
  ConfinedRun run(broker(), [&](BrokerClient& client) {
    const AheadTarget target = Target("127.0.0.1", listener->port());
    client.Preconnect(target, 1);
    std::this_thread::sleep_for(milliseconds(300));
    client.Progress();
    const ConnectResult result = client.Connect(target.request);
    return absl::StrCat(result.error.ToString(), result.prepared ? " old " : " new ",
                        Counts(client));
  });
  UniqueFd first = *listener->Accept(std::chrono::seconds(10));
  // A server that speaks first, and then closes.
  EXPECT_EQ(send(first.get(), "421", 3, MSG_NOSIGNAL), 3);
  first.Reset();
  EXPECT_EQ(run.Text(), "no error new asked 1 used 0 expired 0 closed 1 missed 0");
  EXPECT_TRUE(listener->Accept(std::chrono::seconds(10)).ok());
}

TEST_P(PrepareTest, ErrorsAreThoseThatThereAreWithout) {
  const auto refusing = RefusingPort::Reserve();
  Start();
  EXPECT_EQ(
      RunConfined(broker(),
                  [&](BrokerClient& client) {
                    CurlAdapter adapter(&client, Options());
                    const std::string refused =
                        absl::StrCat("http://127.0.0.1:", refusing->port(), "/");
                    const std::string denied = "http://192.0.2.1/";
                    std::string text;
                    for (const std::string& url : {refused, denied}) {
                      adapter.Prepare(nullptr, url);
                      text += Perform(adapter, url).ToString() + ", ";
                      adapter.Prepare(nullptr, url);
                      Settle(client);
                      const Ended ended = Perform(adapter, url);
                      absl::StrAppend(&text, ended.code, ended.error.ok() ? "" : " ",
                                      ended.error.ok() ? "" : ended.error.ToString(), ", ");
                    }
                    return text;
                  }),
      GetParam() == ConnectMode::kConnected
          ? "code 7 errno 0, 7 allowed, but the connection failed: Connection refused, "
            "code 7 errno 0, 7 denied by the default (no-rule-matches), "
          : "code 7 errno 111, 7, code 7 errno 0, 7 denied by the default (no-rule-matches), ");
}

TEST_P(PrepareTest, LibcurlsTimeLimitHoldsForAHandshakeThatBeganBefore) {
  Start();
  const std::string text = RunConfined(broker(), [&](BrokerClient& client) {
    CurlAdapterOptions adapter_options = Options();
    adapter_options.connect_deadline = milliseconds(600);
    CurlAdapter adapter(&client, adapter_options);
    const std::string url = absl::StrCat("http://", kBlackHoleV4, "/");
    adapter.Prepare(nullptr, url);
    TransferOptions options;
    options.connect_timeout_ms = 400;
    const Ended ended = Perform(adapter, url, options);
    return absl::StrCat(ended.code, ended.ms < 3000 ? " soon" : " late");
  });
  EXPECT_EQ(text, GetParam() == ConnectMode::kConnected ? "7 soon" : "28 soon");
}

TEST_P(PrepareTest, TheServerHearsOfTheEndOfATrackedSocketThatNobodyTook) {
  const auto listener = SilentListener::Listen();
  Start(Limits(), /*track=*/true);
  ConfinedRun run(broker(), [&](BrokerClient& client) {
    client.set_spare_age(milliseconds(150));
    client.Preconnect(Target("127.0.0.1", listener->port()), 1);
    Settle(client);
    std::this_thread::sleep_for(milliseconds(200));
    client.Progress();
    std::this_thread::sleep_for(milliseconds(500));
    return Counts(client);
  });
  const auto socket = listener->Accept(std::chrono::seconds(10));
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_FALSE(EndsWithin(socket->get(), milliseconds(50)));
  EXPECT_TRUE(EndsWithin(socket->get(), milliseconds(1500))) << "while worker and broker live";
  EXPECT_EQ(run.Text(), "asked 1 used 0 expired 1 closed 0 missed 0");
}

// A worker that knows no measure, by the library and by the bare channel: the broker's limits hold.
TEST_P(PrepareTest, AskingAheadWithoutEndStopsAtTheLimits) {
  ServerProcess server({});
  Limits limits;
  limits.max_pending = 8;
  limits.max_outstanding = 16;
  Start(limits);
  const size_t before = OpenFdCount(broker().pid()).value();
  ConfinedRun run(broker(), [&](BrokerClient& client) {
    const AheadTarget hole = Target(kBlackHoleV4, 80);
    for (int i = 0; i < 3000; ++i) client.Prepare(hole);
    std::this_thread::sleep_for(milliseconds(400));
    CurlAdapter adapter(&client, Options());
    const AheadCounts counts = client.ahead_counts();
    // The broker says that this is too much, and the worker's own limit is reached.
    return absl::StrCat(counts.asked == 3000 ? "" : "not asked, ",
                        counts.missed >= 3000 - SpareSockets::kMost ? "bounded" : "unbounded");
  });
  std::this_thread::sleep_for(milliseconds(200));
  // A handshake in progress is one descriptor of the broker, and one each for the channels, and
  // for sockets that are just handed on.
  EXPECT_LE(OpenFdCount(broker().pid()).value(), before + limits.max_pending + 8);
  EXPECT_EQ(RunConfined(broker(),
                        [&](BrokerClient& client) {
                          CurlAdapter adapter(&client, Options());
                          return Perform(adapter, server.Url("/status/204")).ToString();
                        }),
            kDone)
      << "another worker";
  EXPECT_EQ(run.Text(), "bounded");
}

TEST_P(PrepareTest, ABrokerThatIsKilledTakesWhatWasAskedAheadAlong) {
  ServerProcess server({});
  Start();
  ConfinedRun run(broker(), [&](BrokerClient& client) {
    CurlAdapter adapter(&client, Options());
    const std::string url = server.Url("/status/204");
    adapter.Prepare(nullptr, url);
    std::this_thread::sleep_for(milliseconds(400));
    const Ended ended = Perform(adapter, url);
    adapter.Prepare(nullptr, url);
    return absl::StrCat(ended.code, " ", ended.error.ToString());
  });
  std::this_thread::sleep_for(milliseconds(200));
  kill(broker().pid(), SIGKILL);
  const std::string text = run.Text();
  // A reply that had come before is as good as ever.
  EXPECT_TRUE(text == "0 no error" ||
              text == "7 the broker has gone or closed the channel (its audit log says why)")
      << text;
}

}  // namespace
}  // namespace sockgate::testing
