// What libcurl resolves besides the URL's host: a proxy; and FTP's data connection, which goes
// where the server says.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/names/audit_file.h"
#include "tests/integration/names/dnsmasq.h"
#include "tests/integration/names/names_broker.h"
#include "tests/integration/names/names_worker.h"
#include "tests/integration/names/places.h"
#include "tests/support/loopback_tcp.h"

namespace sockgate::testing {
namespace {

constexpr std::chrono::seconds kPatience(10);

size_t Append(char* data, size_t size, size_t count, void* body) {
  static_cast<std::string*>(body)->append(data, size * count);
  return size * count;
}

// "code 0; BODY; EXPLANATION" of a transfer with settings that other tests do not need.
std::string FetchWith(BrokerClient& client, ConnectMode mode, const std::string& url,
                      const std::function<void(CURL*)>& set) {
  CurlAdapter adapter(&client, {mode, kPatience, nullptr});
  CURL* const easy = curl_easy_init();
  if (!adapter.Attach(easy).ok()) return "not attached";
  std::string body;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Append);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
  set(easy);
  const CURLcode code = curl_easy_perform(easy);
  const std::string text =
      absl::StrCat("code ", code, "; ", body, "; ", adapter.Explain(easy, code));
  adapter.Detach(easy);
  curl_easy_cleanup(easy);
  return text;
}

// Up to `end`, or nothing when the peer has gone.
std::string ReadUntil(int fd, const std::string& end) {
  std::string text;
  for (char byte; recv(fd, &byte, 1, 0) == 1;) {
    text += byte;
    if (absl::EndsWith(text, end)) return text;
  }
  return "";
}

void Say(int fd, const std::string& text) {
  EXPECT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

class FtpAndProxyTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  static void SetUpTestSuite() { AddPlaces(); }

  // Answers one session. EPSV and PASV have the answers that are given here; the one file is
  // "contents" and comes from `data`.
  void ServeFtp(const std::string& epsv, const std::string& pasv, const SilentListener& data) {
    const auto control = server_->Accept(kPatience);
    ASSERT_TRUE(control.ok()) << control.status();
    const int fd = control->get();
    Say(fd, "220 here\r\n");
    for (std::string line; !(line = ReadUntil(fd, "\r\n")).empty();) {
      const std::string verb = line.substr(0, line.find_first_of(" \r"));
      if (verb == "EPSV") Say(fd, epsv);
      if (verb == "PASV") Say(fd, pasv);
      if (verb == "USER") Say(fd, "230 come in\r\n");
      if (verb == "PWD") Say(fd, "257 \"/\"\r\n");
      if (verb == "TYPE") Say(fd, "200 good\r\n");
      if (verb == "SIZE") Say(fd, "213 8\r\n");
      if (verb == "QUIT") Say(fd, "221 bye\r\n");
      if (verb == "RETR") {
        const auto connection = data.Accept(kPatience);
        ASSERT_TRUE(connection.ok()) << connection.status();
        Say(fd, "150 it comes\r\n");
        Say(connection->get(), "contents");
        shutdown(connection->get(), SHUT_RDWR);
        Say(fd, "226 done\r\n");
      }
    }
  }

  // What a proxy is sent it says as its answer.
  void ServeProxy() {
    const auto connection = server_->Accept(kPatience);
    ASSERT_TRUE(connection.ok()) << connection.status();
    const std::string request = ReadUntil(connection->get(), "\r\n\r\n");
    const std::string line = request.substr(0, request.find('\r'));
    Say(connection->get(), absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", line.size(),
                                        "\r\nConnection: close\r\n\r\n", line));
  }

  NamesWorker Start(const std::string& url, const std::function<void(CURL*)>& set) {
    return NamesWorker(broker_, [=](const NamesWorker::Inside& inside) {
      return FetchWith(inside.client(), GetParam(), url, set);
    });
  }

  std::string FtpUrl() const { return absl::StrCat("ftp://ftp.test:", server_->port(), "/file"); }

  const Dnsmasq dns_{{"--host-record=ftp.test,8.8.8.1", "--host-record=proxy.test,8.8.8.1",
                      "--host-record=denied.test,8.8.8.1"}};
  absl::StatusOr<SilentListener> server_ = SilentListener::Listen(PublicAddress(1));
  AuditFile audit_;
  BrokerProcess broker_ = StartNamesBroker(
      OneRole(dns_.port(),
              "allow = [{ host = '*.test', ports = '*' }]\ndeny = [{ host = 'denied.test' }]\n"),
      audit_);
};

INSTANTIATE_TEST_SUITE_P(Modes, FtpAndProxyTest, BothModes(), ModeName);

TEST_P(FtpAndProxyTest, FtpByExtendedPassive) {
  const auto data = SilentListener::Listen(PublicAddress(1));
  ASSERT_TRUE(data.ok()) << data.status();
  NamesWorker worker = Start(FtpUrl(), [](CURL*) {});
  ServeFtp(absl::StrCat("229 there (|||", data->port(), "|)\r\n"), "", *data);
  EXPECT_EQ(worker.Text(), "code 0; contents; No error");
}

std::string PassiveReply(const std::string& host, uint16_t port) {
  return absl::StrCat("227 there (", host, ",", port / 256, ",", port % 256, ")\r\n");
}

TEST_P(FtpAndProxyTest, FtpByPassive) {
  const auto data = SilentListener::Listen(PublicAddress(1));
  ASSERT_TRUE(data.ok()) << data.status();
  NamesWorker worker =
      Start(FtpUrl(), [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_FTP_SKIP_PASV_IP, 0L); });
  ServeFtp("502 what\r\n", PassiveReply("8,8,8,1", data->port()), *data);
  EXPECT_EQ(worker.Text(), "code 0; contents; No error");
}

// A server that points elsewhere points at what the worker has no name for.
TEST_P(FtpAndProxyTest, FtpThatPointsAtLoopbackIsDenied) {
  const auto data = SilentListener::Listen("127.0.0.1");
  ASSERT_TRUE(data.ok()) << data.status();
  NamesWorker worker =
      Start(FtpUrl(), [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_FTP_SKIP_PASV_IP, 0L); });
  ServeFtp("502 what\r\n", PassiveReply("127,0,0,1", data->port()), *data);
  EXPECT_EQ(worker.Text(), absl::StrCat("code 7; ; 127.0.0.1:", data->port(),
                                        ": denied by the default (no-rule-matches)"));
  EXPECT_FALSE(data->Accept(std::chrono::milliseconds(50)).ok());
}

TEST_P(FtpAndProxyTest, AProxyByNameLooksUpTheTargetItself) {
  const std::string proxy = absl::StrCat("http://proxy.test:", server_->port());
  NamesWorker worker = Start("http://target.elsewhere/x", [&](CURL* easy) {
    curl_easy_setopt(easy, CURLOPT_PROXY, proxy.c_str());
  });
  ServeProxy();
  EXPECT_EQ(worker.Text(), "code 0; GET http://target.elsewhere/x HTTP/1.1; No error");
  EXPECT_EQ(dns_.TimesAsked("proxy.test"), 1U);
  EXPECT_FALSE(dns_.HasHeardOf("target.elsewhere"));
}

TEST_P(FtpAndProxyTest, ADeniedProxyIsDeniedBeforeAnyQuery) {
  NamesWorker worker = Start("http://ftp.test/x", [](CURL* easy) {
    curl_easy_setopt(easy, CURLOPT_PROXY, "http://denied.test:3128");
  });
  EXPECT_EQ(worker.Text(), "code 5; ; denied.test: denied by rule 2 (deny-rule)");
  EXPECT_FALSE(dns_.HasHeardOf("denied.test"));
}

}  // namespace
}  // namespace sockgate::testing
