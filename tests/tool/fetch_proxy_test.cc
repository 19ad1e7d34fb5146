// `sockgate fetch --proxy`: the proxy's name is looked up and judged, what is behind it is not.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "proto/unique_fd.h"
#include "tests/support/tcp_socket.h"
#include "tests/tool/fetch_world.h"

namespace sockgate::testing {
namespace {

constexpr char kReply[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nproxy\n";

// A listener on 127.0.0.2 that plays a proxy for one client. The destructor waits for that client.
class OneProxy {
 public:
  OneProxy() : listener_(*ListenTcp("127.0.0.2", 0, 4)) {}
  ~OneProxy() { Join(); }

  uint16_t port() const { return *LocalPort(listener_.get()); }

  void PlayHttp() {
    thread_ = std::thread([this] {
      const UniqueFd client = Accept();
      request_ = ReadRequest(client.get());
      Write(client.get(), kReply);
    });
  }

  // RFC 1928, without authentication.
  void PlaySocks() {
    thread_ = std::thread([this] {
      const UniqueFd client = Accept();
      const std::string greeting = ReadBytes(client.get(), 2);
      if (greeting.size() == 2) ReadBytes(client.get(), static_cast<size_t>(greeting[1]));
      Write(client.get(), std::string("\x05\x00", 2));
      const std::string head = ReadBytes(client.get(), 5);
      if (head.size() == 5 && head[3] == 3) {  // a name
        request_ = ReadBytes(client.get(), static_cast<size_t>(head[4]));
        ReadBytes(client.get(), 2);
      }
      Write(client.get(), std::string("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10));
      ReadRequest(client.get());
      Write(client.get(), kReply);
    });
  }

  // What the client asked for. Waits until it has been served.
  const std::string& request() {
    Join();
    return request_;
  }

 private:
  UniqueFd Accept() const {
    pollfd waiting = {listener_.get(), POLLIN, 0};
    poll(&waiting, 1, 20'000);
    UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const timeval patience = {20, 0};
    setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return client;
  }
  static std::string ReadBytes(int fd, size_t size) {
    std::string bytes(size, '\0');
    const ssize_t got = recv(fd, bytes.data(), size, MSG_WAITALL);
    bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return bytes;
  }
  static std::string ReadRequest(int fd) {
    std::string text;
    char byte;
    while (!absl::EndsWith(text, "\r\n\r\n") && recv(fd, &byte, 1, 0) == 1) text += byte;
    return text;
  }
  static void Write(int fd, const std::string& text) {
    send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  }

  void Join() {
    if (thread_.joinable()) thread_.join();
  }

  const UniqueFd listener_;
  std::string request_;
  std::thread thread_;
};

class FetchProxyTest : public FetchWorld {
 protected:
  ~FetchProxyTest() override {
    unsetenv("http_proxy");
    unsetenv("no_proxy");
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, FetchProxyTest, ::testing::Values("connected", "in-progress"),
                         ModeName);

TEST_P(FetchProxyTest, GoesThroughAProxyByName) {
  setenv("no_proxy", "*", 1);
  std::string request;
  {
    OneProxy proxy;
    proxy.PlayHttp();
    const std::string at = absl::StrCat("a.test:", proxy.port());
    const CommandResult result =
        Fetch({"--proxy", at, "--allow-private", at, "http://behind.example/page"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "proxy\n");
    request = proxy.request();
  }
  EXPECT_TRUE(absl::StartsWith(request, "GET http://behind.example/page HTTP/1.1\r\n")) << request;
  EXPECT_TRUE(zone_.WasAskedFor("a.test"));
  EXPECT_FALSE(zone_.WasAskedFor("behind.example"));
}

TEST_P(FetchProxyTest, GoesThroughSocksByName) {
  std::string request;
  {
    OneProxy proxy;
    proxy.PlaySocks();
    const std::string at = absl::StrCat("a.test:", proxy.port());
    const CommandResult result = Fetch({"-x", absl::StrCat("socks5h://", at), "--allow-private", at,
                                        "http://behind.example/page"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "proxy\n");
    request = proxy.request();
  }
  EXPECT_EQ(request, "behind.example");
  EXPECT_FALSE(zone_.WasAskedFor("behind.example"));
}

// --insecure is about the server behind it.
TEST_P(FetchProxyTest, AProxysCertificateIsAlwaysChecked) {
  LoopbackServer::Options options;
  options.address = "127.0.0.2";
  options.tls = true;
  options.extra_names = {"a.test"};
  const auto secure = LoopbackServer::Start(options);
  ASSERT_TRUE(secure.ok()) << secure.status();
  const std::string trusted = absl::StrCat(std::getenv("TEST_TMPDIR"), "/proxy_ca_", GetParam());
  std::ofstream(trusted) << (*secure)->certificate_pem();
  const std::string at = At("a.test", **secure);
  const std::vector<std::string> arguments = {"-f",
                                              "-k",
                                              "-x",
                                              absl::StrCat("https://", at),
                                              "--allow-private",
                                              at,
                                              "http://behind.example/"};
  EXPECT_EQ(Fetch(arguments).status, 60);
  std::vector<std::string> trusting = arguments;
  trusting.insert(trusting.begin(), {"--cacert", trusted});
  // This server is none, and says so with an HTTP status.
  EXPECT_EQ(Fetch(trusting).status, 22);
}

TEST_P(FetchProxyTest, AProxyThatIsNotAllowedIsNotLookedUp) {
  const CommandResult result =
      Fetch({"-x", "a.test", "--allow", "behind.example:80", "http://behind.example/"});
  EXPECT_EQ(result.status, 120);
  EXPECT_TRUE(Says(result, "a.test: denied by the default (no-rule-matches)"));
  EXPECT_TRUE(Says(result, "; --allow a.test:1080 lets it through"));
  EXPECT_FALSE(zone_.WasAsked());
}

TEST_P(FetchProxyTest, AProxyThatLeadsToAPrivateAddressMustBeAllowedTo) {
  const CommandResult result =
      Fetch({"-x", "https://a.test", "--allow", "a.test:443", "http://behind.example/"});
  EXPECT_EQ(result.status, 120);
  EXPECT_TRUE(Says(result, "; --allow-private a.test:443 lets it through"));
}

TEST_P(FetchProxyTest, AProxyThatDoesNotExistIsStatusFive) {
  const CommandResult result =
      Fetch({"-x", "none.test:1", "--allow", "none.test:1", "http://behind.example/"});
  EXPECT_EQ(result.status, 5);
  EXPECT_TRUE(Says(result, "none.test: allowed, but the name does not exist"));
}

TEST_P(FetchProxyTest, TheEnvironmentsProxyIsIgnored) {
  setenv("http_proxy", "http://a.test:1", 1);
  const auto server = ServerAt("127.0.0.3");
  const std::string there = At("b.test", *server);
  EXPECT_EQ(Fetch({"--allow-private", there, absl::StrCat("http://", there, "/hello")}).status, 0);
  EXPECT_FALSE(zone_.WasAskedFor("a.test"));
}

}  // namespace
}  // namespace sockgate::testing
