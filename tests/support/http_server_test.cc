// The loopback server as real libcurl sees it: every path, over http and https.

#include "tests/support/http_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/byte_pattern.h"
#include "tests/support/curl_fetch.h"
#include "tests/support/http_routes.h"
#include "tests/support/process_stats.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::testing {
namespace {

using std::chrono::milliseconds;

struct Flavour {
  const char* name;
  const char* address;
  bool tls;
};

class HttpServerTest : public ::testing::TestWithParam<Flavour> {
 protected:
  void SetUp() override {
    LoopbackServer::Options options;
    options.address = GetParam().address;
    options.tls = GetParam().tls;
    options.extra_names = {"extra.test"};
    auto server = LoopbackServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  CurlHandle Curl(const std::string& path) {
    return NewCurl(server_->Url(path), server_->certificate_pem());
  }
  Fetched Get(const std::string& path) { return Perform(Curl(path).get()); }

  Fetched Post(const std::string& path, const std::string& body) {
    const CurlHandle curl = Curl(path);
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));  // NOLINT
    curl_easy_setopt(curl.get(), CURLOPT_COPYPOSTFIELDS, body.c_str());
    return Perform(curl.get());
  }

  std::unique_ptr<LoopbackServer> server_;
};

INSTANTIATE_TEST_SUITE_P(Each, HttpServerTest,
                         ::testing::Values(Flavour{"Http4", "127.0.0.1", false},
                                           Flavour{"Http6", "::1", false},
                                           Flavour{"Https4", "127.0.0.1", true},
                                           Flavour{"Https6", "::1", true},
                                           Flavour{"HttpsOtherLoopback", "127.0.0.2", true}),
                         [](const auto& one) { return one.param.name; });

TEST_P(HttpServerTest, SaysHello) {
  for (const char* path : {"/", "/hello", "/hello?query"}) {
    const Fetched fetched = Get(path);
    EXPECT_EQ(fetched.code, CURLE_OK) << path;
    EXPECT_EQ(fetched.status, 200) << path;
    EXPECT_EQ(fetched.body, kHelloBody) << path;
  }
  EXPECT_EQ(server_->requests_served(), 3U);
  EXPECT_EQ(server_->connections_accepted(), 3U);
}

TEST_P(HttpServerTest, SendsAsManyPatternBytesAsAsked) {
  for (const size_t size : {0, 1, 16384, 16385, 300000, 5000000}) {
    const Fetched fetched = Get("/bytes/" + std::to_string(size));
    EXPECT_EQ(fetched.code, CURLE_OK) << size;
    EXPECT_TRUE(fetched.body == PatternBytes(size)) << size << ", got " << fetched.body.size();
  }
}

TEST_P(HttpServerTest, AnswersWithTheStatusAskedFor) {
  for (const int status : {200, 204, 304, 403, 404, 500, 599}) {
    const Fetched fetched = Get("/status/" + std::to_string(status));
    EXPECT_EQ(fetched.code, CURLE_OK) << status;
    EXPECT_EQ(fetched.status, status);
  }
}

TEST_P(HttpServerTest, RedirectsAndLibcurlFollows) {
  const std::string path = "/redirect?to=" + server_->Url("/hello");
  EXPECT_EQ(Get(path).status, 302);
  EXPECT_EQ(Get(path).redirect_url, server_->Url("/hello"));

  const CurlHandle curl = Curl(path);
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
  const Fetched followed = Perform(curl.get());
  EXPECT_EQ(followed.status, 200);
  EXPECT_EQ(followed.body, kHelloBody);
}

TEST_P(HttpServerTest, TakesItsTimeOnASlowPath) {
  const Fetched fetched = Get("/slow/300");
  EXPECT_EQ(fetched.status, 200);
  EXPECT_GE(fetched.took, milliseconds(300));
  EXPECT_LT(fetched.took, milliseconds(3000));
}

TEST_P(HttpServerTest, EchoesAPostSmallAndLarge) {
  EXPECT_EQ(Post("/echo", "a small body").body, "a small body");
  const std::string large(3 << 20, 'x');  // libcurl asks for 100 Continue beyond 1 MiB
  const Fetched fetched = Post("/echo", large);
  EXPECT_TRUE(fetched.body == large) << fetched.body.size();
  EXPECT_NE(fetched.headers.find("100 Continue"), std::string::npos);
}

TEST_P(HttpServerTest, EchoesAPut) {
  const CurlHandle curl = Curl("/echo");
  curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, "PUT");
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, "put body");
  EXPECT_EQ(Perform(curl.get()).body, "put body");
}

TEST_P(HttpServerTest, GivesTheHeadersBack) {
  const CurlHandle curl = Curl("/headers");
  curl_slist* headers = curl_slist_append(nullptr, "X-Probe: 42");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers);
  const Fetched fetched = Perform(curl.get());
  curl_slist_free_all(headers);
  EXPECT_NE(fetched.body.find("X-Probe: 42\n"), std::string::npos) << fetched.body;
  EXPECT_NE(fetched.body.find("Host: " + server_->authority()), std::string::npos) << fetched.body;
}

TEST_P(HttpServerTest, ClosesWithoutAnAnswer) { EXPECT_EQ(Get("/close").code, CURLE_GOT_NOTHING); }

TEST_P(HttpServerTest, KnowsNoOtherPath) {
  for (const char* path : {"/nothing", "/hellothere", "/bytes", "/redirec", "/%2e%2e/hello"}) {
    EXPECT_EQ(Get(path).status, 404) << path;
  }
  EXPECT_EQ(Post("/hello", "x").status, 405);
  EXPECT_EQ(Get("/echo").status, 405);
}

TEST_P(HttpServerTest, AnswersHeadWithoutABody) {
  const CurlHandle curl = Curl("/bytes/1000000");
  curl_easy_setopt(curl.get(), CURLOPT_NOBODY, 1L);
  const Fetched fetched = Perform(curl.get());
  EXPECT_EQ(fetched.code, CURLE_OK);
  EXPECT_EQ(fetched.status, 200);
  EXPECT_NE(fetched.headers.find("Content-Length: 1000000\r\n"), std::string::npos);
  EXPECT_EQ(fetched.body, "");
}

TEST_P(HttpServerTest, KeepsAConnectionAlive) {
  const CurlHandle curl = Curl("/hello");
  EXPECT_EQ(Perform(curl.get()).connections, 1);
  EXPECT_EQ(Perform(curl.get()).connections, 0);
  EXPECT_EQ(server_->connections_accepted(), 1U);
  EXPECT_EQ(server_->requests_served(), 2U);
}

TEST_P(HttpServerTest, ClosesWhenAskedTo) {
  const CurlHandle curl = Curl("/bytes/100000");
  curl_slist* headers = curl_slist_append(nullptr, "Connection: close");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers);
  EXPECT_EQ(Perform(curl.get()).body.size(), 100000U);
  EXPECT_EQ(Perform(curl.get()).connections, 1);
  curl_slist_free_all(headers);
  EXPECT_EQ(server_->connections_accepted(), 2U);
}

TEST_P(HttpServerTest, ServesTwoHundredAtOnce) {
  constexpr int kParallel = 200;
  CURLM* multi = curl_multi_init();
  std::vector<CurlHandle> handles;
  std::vector<std::string> bodies(kParallel);
  for (std::string& body : bodies) {
    handles.push_back(Curl("/slow/50"));
    curl_easy_setopt(handles.back().get(), CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(
        handles.back().get(), CURLOPT_WRITEFUNCTION,
        +[](char* bytes, size_t size, size_t count, void* text) {
          static_cast<std::string*>(text)->append(bytes, size * count);
          return size * count;
        });
    curl_multi_add_handle(multi, handles.back().get());
  }
  for (int running = 1; running > 0;) {
    ASSERT_EQ(curl_multi_perform(multi, &running), CURLM_OK);
    ASSERT_EQ(curl_multi_poll(multi, nullptr, 0, 100, nullptr), CURLM_OK);
  }
  for (const CurlHandle& handle : handles) curl_multi_remove_handle(multi, handle.get());
  curl_multi_cleanup(multi);
  for (const std::string& body : bodies) EXPECT_EQ(body, "after 50 ms\n");
  EXPECT_EQ(server_->connections_accepted(), uint64_t{kParallel});
  EXPECT_EQ(server_->requests_served(), uint64_t{kParallel});
}

TEST_P(HttpServerTest, StopsWithConnectionsOpen) {
  const CurlHandle curl = Curl("/hello");
  ASSERT_EQ(Perform(curl.get()).code, CURLE_OK);
  EXPECT_EQ(server_->connections_open(), 1U);
  const ConnectResult idle = TryConnect(server_->address(), server_->port(), milliseconds(1000));
  ASSERT_EQ(idle.error, 0);
  server_->Stop();
  EXPECT_EQ(server_->connections_open(), 0U);
  char byte = 0;
  EXPECT_LE(read(idle.fd.get(), &byte, 1), 0);
  EXPECT_EQ(Perform(curl.get()).code, CURLE_COULDNT_CONNECT);
  server_->Stop();
}

TEST_P(HttpServerTest, LeavesNoDescriptorBehind) {
  const auto before = OpenFdCount(getpid());
  ASSERT_TRUE(before.ok());
  for (int i = 0; i < 5; ++i) {
    LoopbackServer::Options options;
    options.address = GetParam().address;
    options.tls = GetParam().tls;
    auto server = LoopbackServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    EXPECT_EQ(Fetch((*server)->Url("/hello"), (*server)->certificate_pem()).code, CURLE_OK);
  }
  EXPECT_EQ(*OpenFdCount(getpid()), *before);
}

TEST_P(HttpServerTest, TakesItsPortAgainRightAfterStopping) {
  const CurlHandle curl = Curl("/hello");
  ASSERT_EQ(Perform(curl.get()).code, CURLE_OK);
  LoopbackServer::Options options;
  options.address = GetParam().address;
  options.port = server_->port();
  server_->Stop();
  const auto again = LoopbackServer::Start(options);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(Fetch((*again)->Url("/")).code, CURLE_OK);
}

class HttpServerTlsTest : public HttpServerTest {};

INSTANTIATE_TEST_SUITE_P(Each, HttpServerTlsTest,
                         ::testing::Values(Flavour{"Https4", "127.0.0.1", true}),
                         [](const auto& one) { return one.param.name; });

TEST_P(HttpServerTlsTest, IsRefusedByAClientThatDoesNotTrustIt) {
  EXPECT_EQ(Fetch(server_->Url("/")).code, CURLE_PEER_FAILED_VERIFICATION);
  EXPECT_EQ(server_->requests_served(), 0U);
}

TEST_P(HttpServerTlsTest, ProvesItsExtraNamesAndNoOthers) {
  const auto fetch_as = [this](const std::string& name) {
    const std::string port = std::to_string(server_->port());
    const CurlHandle curl =
        NewCurl("https://" + name + ":" + port + "/", server_->certificate_pem());
    curl_slist* resolve =
        curl_slist_append(nullptr, (name + ":" + port + ":" + server_->address()).c_str());
    curl_easy_setopt(curl.get(), CURLOPT_RESOLVE, resolve);
    const CURLcode code = Perform(curl.get()).code;
    curl_slist_free_all(resolve);
    return code;
  };
  EXPECT_EQ(fetch_as("localhost"), CURLE_OK);
  EXPECT_EQ(fetch_as("extra.test"), CURLE_OK);
  EXPECT_EQ(fetch_as("other.test"), CURLE_PEER_FAILED_VERIFICATION);
}

TEST(HttpServerOptionsTest, RefusesWhatItCannotDo) {
  LoopbackServer::Options options;
  options.address = "localhost";
  EXPECT_TRUE(absl::IsInvalidArgument(LoopbackServer::Start(options).status()));
  options = {};
  options.address = "192.0.2.1";
  EXPECT_FALSE(LoopbackServer::Start(options).ok());
  options = {};
  options.tls = true;
  options.extra_names = {"a.test,DNS:b.test"};
  EXPECT_TRUE(absl::IsInvalidArgument(LoopbackServer::Start(options).status()));
}

TEST(HttpServerOptionsTest, LetsNewcomersWaitBeyondTheLimit) {
  LoopbackServer::Options options;
  options.max_connections = 1;
  const auto server = LoopbackServer::Start(options);
  ASSERT_TRUE(server.ok()) << server.status();
  ConnectResult first = TryConnect((*server)->address(), (*server)->port(), milliseconds(1000));
  ASSERT_EQ(first.error, 0);
  while ((*server)->connections_accepted() == 0) usleep(1000);
  const CurlHandle second = NewCurl((*server)->Url("/"));
  curl_easy_setopt(second.get(), CURLOPT_TIMEOUT_MS, 200L);
  EXPECT_EQ(Perform(second.get()).code, CURLE_OPERATION_TIMEDOUT);
  EXPECT_EQ((*server)->connections_accepted(), 1U);
  first.fd.Reset();
  EXPECT_EQ(Fetch((*server)->Url("/")).code, CURLE_OK);
}

}  // namespace
}  // namespace sockgate::testing
