// Names through libcurl: the shim and the adapter together, unconfined and under the fetcher
// profile, against a broker that resolves from a table and a server on loopback.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/curl_adapter.h"
#include "client/launch/worker.h"
#include "client/name_shim.h"
#include "tests/client/fake_resolver.h"
#include "tests/integration/pipe_text.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"

namespace sockgate::testing {
namespace {

using Kind = ConnectError::Kind;

struct EasyCloser {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyCloser>;

class CurlNamesTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  CurlNamesTest() : server_(LoopbackServer::Options()) {
    broker_.Set("a.test", Addresses({"127.0.0.1"}));
    broker_.Set("v4.test", Addresses({"127.0.0.1"}));
    broker_.Set("v6.test", Addresses({"::1"}));
    broker_.Set("denied.test", Refusal(Outcome::kDenied, Reason::kDenyRule, 3));
    broker_.Set("default.test", Refusal(Outcome::kDenied, Reason::kNoRuleMatches));
    broker_.Set("slow.test", Failure(EAGAIN));
  }
  ~CurlNamesTest() override { DisarmNameShim(); }

  // Not before the forks of a test.
  void MakeClient() {
    broker_.Start();
    client_ = *BrokerClient::FromDescriptor(broker_.TakeWorkerEnd());
    CurlAdapterOptions options;
    options.mode = GetParam();
    adapter_ = std::make_unique<CurlAdapter>(client_.get(), options);
  }
  void Arm() {
    MakeClient();
    ASSERT_TRUE(ArmNameShim(client_.get()).ok());
  }

  std::string Url(const std::string& host, const std::string& path = "/status/204") const {
    return absl::StrCat("http://", host, ":", server_.port(), path);
  }

  ServerProcess server_;
  FakeResolver broker_;
  std::unique_ptr<BrokerClient> client_;
  std::unique_ptr<CurlAdapter> adapter_;
};

INSTANTIATE_TEST_SUITE_P(Modes, CurlNamesTest,
                         ::testing::Values(ConnectMode::kConnected, ConnectMode::kInProgress),
                         [](const auto& mode) {
                           return mode.param == ConnectMode::kConnected ? "Connected"
                                                                        : "InProgress";
                         });

// The shim alone answers connect(): nothing else does in this process.
TEST_P(CurlNamesTest, ATransferByName) {
  Arm();
  const Ended ended = Perform(*adapter_, Url("a.test"));
  EXPECT_EQ(ended.ToString(), "code 0 status 204 body ");
  EXPECT_TRUE(ended.error.ok());
  EXPECT_EQ(broker_.asked().size(), 1U);
}

// The name is looked up once, ahead, and its first address is connected to before libcurl asks.
TEST_P(CurlNamesTest, ATransferByNameThatWasPrepared) {
  Arm();
  TransferOptions options;
  options.prepare = true;
  EXPECT_EQ(Perform(*adapter_, Url("a.test"), options).ToString(), "code 0 status 204 body ");
  EXPECT_EQ(client_->ahead_counts().used, 1U);
  EXPECT_EQ(broker_.asked().size(), 1U);
  const std::vector<std::string> urls(20, Url("a.test"));
  for (const Ended& ended : PerformTogether(*adapter_, urls, options)) {
    EXPECT_EQ(ended.ToString(), "code 0 status 204 body ");
  }
}

TEST_P(CurlNamesTest, LocalhostThatWasPreparedIsLookedUpOnce) {
  broker_.Set("localhost", Addresses({"127.0.0.1"}));
  Arm();
  const std::string url = Url("localhost");
  adapter_->Prepare(nullptr, url);
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    client_->Progress();
  }
  EXPECT_EQ(Perform(*adapter_, url).ToString(), "code 0 status 204 body ");
  EXPECT_EQ(client_->ahead_counts().used, 1U);
  EXPECT_EQ(broker_.asked().size(), 1U);
}

TEST_P(CurlNamesTest, ManyTransfersAtOnce) {
  Arm();
  const std::vector<std::string> urls(50, Url("a.test"));
  for (const Ended& ended : PerformTogether(*adapter_, urls)) {
    EXPECT_EQ(ended.ToString(), "code 0 status 204 body ");
  }
}

TEST_P(CurlNamesTest, ADenialIsTold) {
  Arm();
  Ended ended = Perform(*adapter_, Url("denied.test"));
  EXPECT_EQ(ended.code, CURLE_COULDNT_RESOLVE_HOST);
  EXPECT_EQ(ended.error.kind, Kind::kDenied);
  EXPECT_EQ(ended.error.rule, 3U);
  EXPECT_EQ(ended.explanation, "denied.test: denied by rule 3 (deny-rule)");
  ended = Perform(*adapter_, Url("default.test"));
  EXPECT_EQ(ended.explanation, "default.test: denied by the default (no-rule-matches)");
  ended = Perform(*adapter_, Url("none.test"));
  EXPECT_EQ(ended.error.kind, Kind::kLookup);
  EXPECT_EQ(ended.explanation, "none.test: allowed, but the name does not exist");
  ended = Perform(*adapter_, Url("slow.test"));
  EXPECT_EQ(ended.explanation, "slow.test: allowed, but no name server gave an answer, try again");
  ended = Perform(*adapter_, Url("a.test"));
  EXPECT_TRUE(ended.error.ok()) << "of another transfer";
}

TEST_P(CurlNamesTest, RedirectsToOtherHostsAreLookedUpAndJudged) {
  Arm();
  TransferOptions options;
  options.follow = true;
  const std::string good = "/redirect?to=" + Url("v4.test");
  EXPECT_EQ(Perform(*adapter_, Url("a.test", good), options).ToString(), "code 0 status 204 body ");
  const std::string bad = "/redirect?to=" + Url("denied.test");
  const Ended ended = Perform(*adapter_, Url("a.test", bad), options);
  EXPECT_EQ(ended.code, CURLE_COULDNT_RESOLVE_HOST);
  EXPECT_EQ(ended.explanation, "denied.test: denied by rule 3 (deny-rule)");
}

// libcurl itself does not ask, so without this no rule on the name could let it through.
TEST_P(CurlNamesTest, TheBrokerHearsOfLocalhostOnceForEachTransfer) {
  Arm();
  for (const char* host : {"localhost", "Deep.LOCALHOST", "127.0.0.1"}) {
    EXPECT_EQ(Perform(*adapter_, Url(host)).ToString(), "code 0 status 204 body ");
  }
  const std::vector<std::string> heard = broker_.asked();
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_EQ(heard[0], "localhost any");
  EXPECT_TRUE(heard[1] == "Deep.LOCALHOST any" || heard[1] == "deep.localhost any") << heard[1];
}

// Whatever allows its address.
TEST_P(CurlNamesTest, ARuleMayDenyLocalhost) {
  broker_.Set("localhost", Refusal(Outcome::kDenied, Reason::kDenyRule, 3));
  broker_.Set("a.localhost", Refusal(Outcome::kDenied, Reason::kNoRuleMatches, 0));
  Arm();
  const Ended ended = Perform(*adapter_, Url("localhost"));
  EXPECT_EQ(ended.code, CURLE_COULDNT_CONNECT);
  EXPECT_EQ(ended.error.kind, Kind::kDenied);
  EXPECT_EQ(ended.error.rule, 3U);
  EXPECT_EQ(Perform(*adapter_, Url("a.localhost")).ToString(), "code 0 status 204 body ");
}

TEST_P(CurlNamesTest, ADeniedProxyIsTold) {
  Arm();
  const Easy easy(curl_easy_init());
  ASSERT_TRUE(adapter_->Attach(easy.get()).ok());
  curl_easy_setopt(easy.get(), CURLOPT_URL, Url("a.test").c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "http://denied.test:3128");
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  const CURLcode code = curl_easy_perform(easy.get());
  EXPECT_EQ(code, CURLE_COULDNT_RESOLVE_PROXY);
  EXPECT_EQ(adapter_->Explain(easy.get(), code), "denied.test: denied by rule 3 (deny-rule)");
  EXPECT_EQ(adapter_->LastError(easy.get(), code).reason, Reason::kDenyRule);
  adapter_->Detach(easy.get());
}

TEST_P(CurlNamesTest, AHostThatWasResolvedAheadIsNotLookedUpAgain) {
  Arm();
  const Easy easy(curl_easy_init());
  ASSERT_TRUE(adapter_->Attach(easy.get()).ok());
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  for (int i = 1; i <= 3; ++i) {
    const AheadResult ahead = adapter_->ResolveAhead(easy.get(), Url("a.test"));
    EXPECT_EQ(ahead.ToString(), "no error");
    EXPECT_TRUE(ahead.other_hosts);
    curl_easy_setopt(easy.get(), CURLOPT_URL, Url("a.test").c_str());
    EXPECT_EQ(curl_easy_perform(easy.get()), CURLE_OK);
    EXPECT_EQ(broker_.asked().size(), static_cast<size_t>(i)) << "by ResolveAhead alone";
    ASSERT_TRUE(adapter_->Attach(easy.get()).ok());
  }
  for (const char* url : {"http://127.0.0.1/", "http://[::1]/", "http://0x7f.1/", "http://a b/"}) {
    EXPECT_TRUE(adapter_->ResolveAhead(easy.get(), url).error.ok()) << url;
  }
  EXPECT_EQ(broker_.asked().size(), 3U);
  EXPECT_EQ(adapter_->ResolveAhead(easy.get(), "denied.test").error.kind, Kind::kDenied);
  adapter_->Detach(easy.get());
  EXPECT_EQ(adapter_->ResolveAhead(easy.get(), "a.test").error.kind, Kind::kBadRequest);
}

TEST_P(CurlNamesTest, AheadWithoutTheShimSaysWhatWillNotWork) {
  MakeClient();
  const Easy easy(curl_easy_init());
  // Attach() would fail here: nobody answers connect().
  const AheadResult ahead = adapter_->ResolveAhead(easy.get(), "http://127.0.0.1/");
  EXPECT_FALSE(ahead.other_hosts);
  EXPECT_NE(ahead.ToString().find("redirects to other hosts will not resolve"), std::string::npos);
}

// What a confined worker says of itself: nothing but the shim resolves there.
std::string FetchConfined(BrokerClient& client, ConnectMode mode, const std::string& good,
                          const std::string& denied) {
  CurlAdapterOptions options;
  options.mode = mode;
  CurlAdapter adapter(&client, options);
  const Ended first = Perform(adapter, good);
  const Ended second = Perform(adapter, denied);
  return absl::StrCat(first.ToString(), "; ", second.ToString(), "; ", second.explanation);
}

std::string RunUnderFetcherProfile(FakeResolver& broker,
                                   const std::function<std::string(BrokerClient&)>& piece) {
  Pipe pipe;
  launch::WorkerOptions options;
  const int writer = pipe.writer.get();
  options.keep_descriptors.push_back(writer);
  auto worker = launch::Worker::Start(
      broker.TakeWorkerEnd(), options, [](int) { return curl_global_init(CURL_GLOBAL_DEFAULT); },
      [&](int channel) {
        auto client = BrokerClient::FromDescriptor(UniqueFd(channel));
        if (!client.ok()) return 1;
        const absl::Status armed = ArmNameShim(client->get());
        WriteAll(writer, armed.ok() ? piece(**client) : armed.ToString());
        return 0;
      });
  if (!worker.ok()) return worker.status().ToString();
  pipe.writer.Reset();
  broker.Start();
  std::string text = ReadAll(pipe.reader.get());
  const auto status = worker->Wait();
  return status.ok() && *status == launch::ExitStatus() ? text : text + " [did not end well]";
}

TEST_P(CurlNamesTest, AConfinedWorkerFetchesByName) {
  EXPECT_EQ(RunUnderFetcherProfile(broker_,
                                   [&](BrokerClient& client) {
                                     return FetchConfined(client, GetParam(), Url("a.test"),
                                                          Url("denied.test"));
                                   }),
            "code 0 status 204 body ; code 6 errno 0; denied.test: denied by rule 3 (deny-rule)");
}

// socket(AF_INET6) is refused there; the shim answers libcurl's probe, so an IPv6 name works.
TEST_P(CurlNamesTest, AConfinedWorkerFetchesByNameOverIpv6) {
  LoopbackServer::Options options;
  options.address = "::1";
  ServerProcess server(options);
  const std::string url = absl::StrCat("http://v6.test:", server.port(), "/status/204");
  EXPECT_EQ(RunUnderFetcherProfile(
                broker_,
                [&](BrokerClient& client) { return FetchConfined(client, GetParam(), url, url); }),
            "code 0 status 204 body ; code 0 status 204 body ; No error");
}

TEST_P(CurlNamesTest, SocketsOtherThanTheProbeStayRefused) {
  EXPECT_EQ(RunUnderFetcherProfile(broker_,
                                   [](BrokerClient&) {
                                     const int stream = socket(AF_INET6, SOCK_STREAM, 0);
                                     const int stream_errno = errno;
                                     const int v4 = socket(AF_INET, SOCK_DGRAM, 0);
                                     const UniqueFd probe(socket(AF_INET6, SOCK_DGRAM, 0));
                                     const ssize_t sent = send(probe.get(), "x", 1, 0);
                                     return absl::StrCat(stream, " ", stream_errno == EACCES, " ",
                                                         v4, " ", probe.valid(), " ", sent, " ",
                                                         errno == ENOTSOCK);
                                   }),
            "-1 1 -1 1 -1 1");
}

}  // namespace
}  // namespace sockgate::testing
