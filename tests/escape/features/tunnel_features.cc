// Through a proxy, and over protocols that are not one request and its answer.

#include <poll.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/escape/features/easy.h"
#include "tests/escape/features/features.h"
#include "tests/support/http_routes.h"

namespace sockgate::escape {
namespace {

using testing::kHelloBody;

std::string TunnelTls(BrokerClient& client, const Places& places, const std::string& scheme) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.https + "/hello");
  easy.Set(CURLOPT_PROXY, absl::StrCat(scheme, places.tunnel).c_str());
  easy.Set(CURLOPT_HTTPPROXYTUNNEL, 1L);
  if (!places.trust->Attach(easy.get()).ok()) return "no trust";
  return easy.Want(200, kHelloBody);
}

std::string ConnectProxy(BrokerClient& client, const Places& places) {
  return TunnelTls(client, places, "http://");
}

std::string SocksProxy(BrokerClient& client, const Places& places) {
  return TunnelTls(client, places, "socks5://");
}

std::string FtpPassive(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.ftp + "/file");
  return easy.Want(226, "hello by ftp\n");
}

// The other way of passive mode, for servers without RFC 2428.
std::string FtpByPasv(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.ftp + "/file");
  easy.Set(CURLOPT_FTP_USE_EPSV, 0L);
  return easy.Want(226, "hello by ftp\n");
}

bool Await(const Easy& easy, short events) {
  constexpr int kPatienceMs = 10000;
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(easy.get(), CURLINFO_ACTIVESOCKET, &socket);
  pollfd watched = {socket, events, 0};
  return poll(&watched, 1, kPatienceMs) == 1;
}

CURLcode Send(const Easy& easy, const std::string& bytes) {
  size_t sent = 0;
  const CURLcode code = curl_easy_send(easy.get(), bytes.data(), bytes.size(), &sent);
  return code == CURLE_OK && sent != bytes.size() ? CURLE_SEND_ERROR : code;
}

// What has come when it ends in `end`, or when no more does.
std::string ReceiveUntil(const Easy& easy, const std::string& end) {
  std::string text;
  while (!absl::EndsWith(text, end) && Await(easy, POLLIN)) {
    char buffer[1024];
    size_t size = 0;
    const CURLcode code = curl_easy_recv(easy.get(), buffer, sizeof(buffer), &size);
    if (code == CURLE_AGAIN) continue;
    if (code != CURLE_OK || size == 0) break;
    text.append(buffer, size);
  }
  return text;
}

// The example of RFC 6455, section 1.3.
constexpr char kUpgrade[] =
    "GET /echo HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
constexpr char kAccepted[] = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

// The example of RFC 6455, section 5.7: "Hello", masked, and as it comes back.
constexpr char kMaskedHello[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
constexpr char kPlainHello[] = "\x81\x05Hello";

// This libcurl has no ws://, so the program speaks WebSocket over a connection of libcurl's.
std::string WebSocket(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.echo);
  easy.Set(CURLOPT_CONNECT_ONLY, 1L);
  if (std::string text = easy.WantCode(CURLE_OK); text != "ok") return text;
  if (Send(easy, kUpgrade) != CURLE_OK) return "the handshake was not sent";
  const std::string answer = ReceiveUntil(easy, "\r\n\r\n");
  if (!absl::StartsWith(answer, "HTTP/1.1 101 ") || !absl::StrContains(answer, kAccepted)) {
    return absl::StrCat("handshake: ", answer);
  }
  if (Send(easy, kMaskedHello) != CURLE_OK) return "the frame was not sent";
  const std::string echo = ReceiveUntil(easy, kPlainHello);
  return echo == kPlainHello ? "ok" : absl::StrCat("echo: ", echo);
}

}  // namespace

std::vector<Feature> TunnelFeatures() {
  return {
      {"ConnectProxy", ConnectProxy}, {"SocksProxy", SocksProxy}, {"FtpPassive", FtpPassive},
      {"FtpByPasv", FtpByPasv},       {"WebSocket", WebSocket},
  };
}

}  // namespace sockgate::escape
