// Clients of the loopback server that do not play by the rules: each costs the server nothing but
// itself.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <random>
#include <string>

#include "tests/support/curl_fetch.h"
#include "tests/support/http_routes.h"
#include "tests/support/http_server.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::testing {
namespace {

using std::chrono::milliseconds;

class HttpHostileTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    LoopbackServer::Options options;
    options.tls = GetParam();
    auto server = LoopbackServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  // The proof after each act.
  void TearDown() override {
    EXPECT_EQ(Fetch(server_->Url("/hello"), server_->certificate_pem()).body, kHelloBody);
  }

  UniqueFd Connect() {
    ConnectResult result = TryConnect(server_->address(), server_->port(), milliseconds(5000));
    EXPECT_EQ(result.error, 0);
    const timeval patience{5, 0};
    setsockopt(result.fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return std::move(result.fd);
  }

  static void Send(const UniqueFd& fd, const std::string& bytes) {
    EXPECT_GE(send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), 0);
  }

  static std::string ReceiveAll(const UniqueFd& fd) {
    std::string all;
    std::array<char, 4096> chunk{};
    for (;;) {
      const ssize_t got = recv(fd.get(), chunk.data(), chunk.size(), 0);
      if (got <= 0) return all;
      all.append(chunk.data(), static_cast<size_t>(got));
    }
  }

  std::string Exchange(const std::string& bytes) {
    const UniqueFd fd = Connect();
    Send(fd, bytes);
    return ReceiveAll(fd);
  }

  void AwaitConnections(uint64_t count) {
    for (int i = 0; i < 500 && server_->connections_open() != count; ++i) usleep(10000);
    EXPECT_EQ(server_->connections_open(), count);
  }

  std::unique_ptr<LoopbackServer> server_;
};

INSTANTIATE_TEST_SUITE_P(Each, HttpHostileTest, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "Https" : "Http"; });

TEST_P(HttpHostileTest, SurvivesRandomBytes) {
  std::mt19937 random(1);  // NOLINT(cert-msc*): the same noise each time
  for (int i = 0; i < 200; ++i) {
    std::string noise(random() % 3000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    const UniqueFd fd = Connect();
    Send(fd, noise);
    shutdown(fd.get(), SHUT_WR);
    ReceiveAll(fd);
  }
  AwaitConnections(0);
}

TEST_P(HttpHostileTest, SurvivesAnEarlyGoodbye) {
  for (int i = 0; i < 100; ++i) {
    const UniqueFd fd = Connect();
    const linger reset{1, 0};
    if (i % 2 == 0) setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    if (i % 3 == 0) Send(fd, "GET /bytes/1000000 HTTP/1.1\r\n\r\n");
  }
  AwaitConnections(0);
}

TEST_P(HttpHostileTest, KeepsTheSilentApartFromTheRest) {
  const UniqueFd silent = Connect();
  const UniqueFd half = Connect();
  Send(half, GetParam() ? "\x16\x03\x01" : "GET /hel");
  EXPECT_EQ(Fetch(server_->Url("/"), server_->certificate_pem()).code, CURLE_OK);
  AwaitConnections(2);
}

TEST_P(HttpHostileTest, ForgetsASlowRequestWhoseClientLeft) {
  const CurlHandle curl = NewCurl(server_->Url("/slow/60000"), server_->certificate_pem());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, 300L);
  EXPECT_EQ(Perform(curl.get()).code, CURLE_OPERATION_TIMEDOUT);
  AwaitConnections(0);
}

TEST_P(HttpHostileTest, SurvivesAClientThatNeverReads) {
  const CurlHandle curl = NewCurl(server_->Url("/bytes/1000000000"), server_->certificate_pem());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, 300L);
  curl_easy_setopt(
      curl.get(), CURLOPT_WRITEFUNCTION,
      +[](char*, size_t, size_t, void*) -> size_t { return CURL_WRITEFUNC_PAUSE; });
  EXPECT_EQ(curl_easy_perform(curl.get()), CURLE_OPERATION_TIMEDOUT);
  AwaitConnections(0);
}

TEST_P(HttpHostileTest, EndsAConnectionThatAForkedChildHasInherited) {
  const UniqueFd fd = Connect();
  AwaitConnections(1);
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const uint16_t port = server_->port();
  server_->Stop();
  EXPECT_EQ(ReceiveAll(fd), "");
  EXPECT_EQ(TryConnect("127.0.0.1", port, milliseconds(1000)).error, ECONNREFUSED);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  SetUp();
}

class HttpMalformedTest : public HttpHostileTest {};

INSTANTIATE_TEST_SUITE_P(Each, HttpMalformedTest, ::testing::Values(false),
                         [](const auto&) { return "Http"; });

TEST_P(HttpMalformedTest, NamesTheFaultAndCloses) {
  const auto status_of = [this](const std::string& bytes) { return Exchange(bytes).substr(0, 12); };
  EXPECT_EQ(status_of("nonsense\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\n\r\n"), "HTTP/1.1 505");
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nno colon\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status_of("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), "HTTP/1.1 501");
  EXPECT_EQ(status_of("POST /echo HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"),
            "HTTP/1.1 413");
  EXPECT_EQ(status_of(std::string(100000, 'x')), "HTTP/1.1 431");
  EXPECT_EQ(server_->requests_served(), 0U);
}

TEST_P(HttpMalformedTest, AnswersPipelinedRequestsInOrder) {
  const std::string answers = Exchange(
      "GET /status/201 HTTP/1.1\r\n\r\nGET /slow/50 HTTP/1.1\r\n\r\n"
      "GET /status/203 HTTP/1.1\r\nConnection: close\r\n\r\n");
  const size_t first = answers.find("HTTP/1.1 201");
  const size_t second = answers.find("after 50 ms");
  const size_t third = answers.find("HTTP/1.1 203");
  EXPECT_EQ(first, 0U);
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, std::string::npos);
}

TEST_P(HttpMalformedTest, AnswersAThousandPipelinedRequests) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += "GET /status/204 HTTP/1.1\r\n\r\n";
  Exchange(bytes + "GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(server_->requests_served(), 1001U);
}

TEST_P(HttpMalformedTest, ClosesAfterHttp10) {
  EXPECT_NE(Exchange("GET /hello HTTP/1.0\r\n\r\n").find(kHelloBody), std::string::npos);
}

}  // namespace
}  // namespace sockgate::testing
