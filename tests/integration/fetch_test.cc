// One transfer at a time, from a worker that is really confined, through a broker in a process of
// its own.

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/confined.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/test_namespace.h"

namespace sockgate::testing {
namespace {

LoopbackServer::Options Plain(const std::string& address = "127.0.0.1") {
  LoopbackServer::Options options;
  options.address = address;
  return options;
}

LoopbackServer::Options Tls() {
  LoopbackServer::Options options;
  options.tls = true;
  options.extra_names = {"a.test", "b.test"};
  return options;
}

class FetchTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  // Fetches in a confined worker and says how that ended.
  std::string Fetch(const std::vector<std::string>& allow, const std::string& url,
                    TransferOptions options = {}) {
    BrokerProcess broker = StartBroker(allow);
    const ConnectMode mode = GetParam();
    return RunConfined(broker, [&](BrokerClient& client) {
      CurlAdapter adapter(&client, {mode, std::chrono::seconds(10), nullptr});
      const Ended ended = Perform(adapter, url, options);
      return absl::StrCat(ended.ToString(), "; ", ended.explanation);
    });
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, FetchTest,
                         ::testing::Values(ConnectMode::kConnected, ConnectMode::kInProgress),
                         [](const auto& mode) {
                           return mode.param == ConnectMode::kConnected ? "Connected"
                                                                        : "InProgress";
                         });

TEST_P(FetchTest, HttpSucceeds) {
  ServerProcess server(Plain());
  EXPECT_EQ(Fetch({"127.0.0.1:*"}, server.Url("/status/204")), "code 0 status 204 body ; No error");
}

TEST_P(FetchTest, HttpOverIpv6Succeeds) {
  ServerProcess server(Plain("::1"));
  EXPECT_EQ(Fetch({"[::1]:*"}, server.Url("/status/204")), "code 0 status 204 body ; No error");
}

TEST_P(FetchTest, HttpsSucceedsAndChecksTheCertificate) {
  ServerProcess server(Tls());
  TransferOptions trusting;
  trusting.trust_pem = server.certificate_pem();
  EXPECT_EQ(Fetch({"127.0.0.1:*"}, server.Url("/status/204"), trusting),
            "code 0 status 204 body ; No error");
  ServerProcess other(Tls());
  TransferOptions distrusting;
  distrusting.trust_pem = other.certificate_pem();
  EXPECT_TRUE(absl::StartsWith(Fetch({"127.0.0.1:*"}, server.Url("/"), distrusting), "code 60 "));
}

TEST_P(FetchTest, AMebibyteArrivesWhole) {
  ServerProcess server(Plain());
  const std::string text = Fetch({"127.0.0.1:*"}, server.Url("/bytes/1048576"));
  EXPECT_EQ(text.size(), std::string("code 0 status 200 body ; No error").size() + 1048576);
}

TEST_P(FetchTest, ANameOfCurloptResolveSucceeds) {
  ServerProcess server(Plain());
  TransferOptions options;
  options.resolve = {absl::StrCat("a.test:", server.port(), ":127.0.0.1")};
  EXPECT_EQ(
      Fetch({"127.0.0.1:*"}, absl::StrCat("http://a.test:", server.port(), "/status/204"), options),
      "code 0 status 204 body ; No error");
}

TEST_P(FetchTest, RefusedIsAsNative) {
  const auto port = RefusingPort::Reserve();
  ASSERT_TRUE(port.ok());
  const std::string text =
      Fetch({"127.0.0.1:*"}, absl::StrCat("http://127.0.0.1:", port->port(), "/"));
  if (GetParam() == ConnectMode::kInProgress) {
    EXPECT_EQ(text, "code 7 errno 111; Couldn't connect to server");
  } else {
    EXPECT_EQ(text, absl::StrCat("code 7 errno 0; 127.0.0.1:", port->port(),
                                 ": allowed, but the connection failed: Connection refused"));
  }
}

TEST_P(FetchTest, UnreachableSaysSo) {
  const std::string url = absl::StrCat("http://", kUnreachableV4, "/");
  EXPECT_TRUE(
      absl::EndsWith(Fetch({"198.51.100.0/24:*"}, url),
                     "; 198.51.100.1:80: allowed, but the connection failed: No route to host"));
}

TEST_P(FetchTest, ADenialNamesReasonAndRule) {
  ServerProcess server(Plain());
  EXPECT_EQ(Fetch({"10.0.0.0/8:*"}, server.Url("/")),
            absl::StrCat("code 7 errno 0; 127.0.0.1:", server.port(),
                         ": denied by the default (no-rule-matches)"));
}

TEST_P(FetchTest, ARedirectToAHostThatNobodyLookedUpSaysWhy) {
  ServerProcess server(Plain());
  TransferOptions options;
  options.follow = true;
  const std::string text =
      Fetch({"127.0.0.1:*"}, server.Url("/redirect?to=http://elsewhere.test/"), options);
  EXPECT_TRUE(absl::StartsWith(text, "code 6 ")) << text;
  EXPECT_TRUE(absl::StrContains(text, "a confined worker cannot look names up")) << text;
}

TEST_P(FetchTest, ARedirectToAnotherAddressIsJudgedAnew) {
  ServerProcess server(Plain());
  TransferOptions options;
  options.follow = true;
  EXPECT_TRUE(absl::EndsWith(
      Fetch({"127.0.0.1:*"}, server.Url("/redirect?to=http://127.0.0.2:1/"), options),
      "127.0.0.2:1: denied by the default (no-rule-matches)"));
}

TEST_P(FetchTest, CurloptInterfaceIsExplained) {
  ServerProcess server(Plain());
  TransferOptions options;
  options.interface = "127.0.0.1";
  const std::string text = Fetch({"127.0.0.1:*"}, server.Url("/"), options);
  EXPECT_TRUE(absl::StartsWith(text, "code 45 ")) << text;
  EXPECT_TRUE(absl::StrContains(text, "CURLOPT_INTERFACE")) << text;
}

TEST_P(FetchTest, UdpIsDeniedWhereNoRuleNamesIt) {
  BrokerProcess broker = StartBroker({"127.0.0.1:*"});
  const ConnectMode mode = GetParam();
  EXPECT_EQ(RunConfined(broker,
                        [&](BrokerClient& client) {
                          CurlAdapter adapter(&client, {mode, std::chrono::seconds(10), nullptr});
                          const Ended ended = Perform(adapter, "tftp://127.0.0.1/x");
                          return absl::StrCat("code ", ended.code, "; ", ended.explanation);
                        }),
            "code 7; 127.0.0.1:69: denied (transport)");
}

TEST_P(FetchTest, AnInMemoryKeepAliveConnectionIsReused) {
  ServerProcess server(Plain());
  BrokerProcess broker = StartBroker({"127.0.0.1:*"});
  const ConnectMode mode = GetParam();
  const std::string text = RunConfined(broker, [&](BrokerClient& client) {
    int opened = 0;
    CurlAdapterOptions options;
    options.mode = mode;
    options.on_connect = [&](CURL*, const Endpoint&, const ConnectResult&) { ++opened; };
    CurlAdapter adapter(&client, options);
    CURL* easy = curl_easy_init();
    if (!adapter.Attach(easy).ok()) return std::string("not attached");
    curl_easy_setopt(easy, CURLOPT_URL, server.Url("/status/204").c_str());
    const CURLcode first = curl_easy_perform(easy);
    const CURLcode second = curl_easy_perform(easy);
    adapter.Detach(easy);
    curl_easy_cleanup(easy);
    return absl::StrCat(first, " ", second, " opened ", opened);
  });
  EXPECT_EQ(text, "0 0 opened 1");
}

}  // namespace
}  // namespace sockgate::testing
