#include "tests/support/websocket_echo.h"

#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <openssl/sha.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <string>
#include <utility>

#include "proto/check.h"
#include "tests/support/http_client_replies.h"
#include "tests/support/http_request.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::testing {
namespace {

constexpr timeval kPatience = {10, 0};

// A final text frame; the length's top bit says that it is masked. Longer ones are none of ours.
constexpr unsigned char kFinalText = 0x81;
constexpr unsigned char kMasked = 0x80;
constexpr unsigned char kMaxShort = 125;

void Say(int fd, const std::string& bytes) {
  SOCKGATE_CHECK(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) <=
                 static_cast<ssize_t>(bytes.size()));
}

std::string Hear(int fd, size_t size) {
  std::string bytes(size, '\0');
  const ssize_t got = recv(fd, bytes.data(), size, MSG_WAITALL);
  bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return bytes;
}

std::string AcceptValue(const std::string& key) {
  const std::string text = absl::StrCat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return absl::Base64Escape(std::string(digest.begin(), digest.end()));
}

bool ShakeHands(int client) {
  HttpRequestParser parser;
  HttpRequest request;
  auto outcome = HttpRequestParser::Outcome::kNeedMore;
  while (outcome == HttpRequestParser::Outcome::kNeedMore) {
    const std::string byte = Hear(client, 1);
    if (byte.empty()) return false;
    parser.Append(byte);
    outcome = parser.Next(&request);
  }
  const bool asks = outcome == HttpRequestParser::Outcome::kComplete &&
                    absl::EqualsIgnoreCase(HeaderOf(request, "Upgrade"), "websocket");
  if (asks) {
    Say(client, absl::StrCat("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Accept: ",
                             AcceptValue(HeaderOf(request, "Sec-WebSocket-Key")), "\r\n\r\n"));
  }
  return asks;
}

void EchoFrame(int client) {
  const std::string head = Hear(client, 2);
  if (head.size() != 2 || static_cast<unsigned char>(head[0]) != kFinalText) return;
  const auto length = static_cast<unsigned char>(head[1]);
  if ((length & kMasked) == 0 || (length & ~kMasked) > kMaxShort) return;
  const std::string mask = Hear(client, 4);
  std::string text = Hear(client, length & ~kMasked);
  if (mask.size() != 4) return;
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(text[i] ^ mask[i % 4]);
  Say(client, absl::StrCat(std::string{head[0], static_cast<char>(text.size())}, text));
}

}  // namespace

WebSocketEcho::WebSocketEcho() : stop_(eventfd(0, EFD_CLOEXEC)) {
  auto listener = ListenTcp("127.0.0.1", 0, 16);
  SOCKGATE_CHECK(stop_.valid() && listener.ok());
  listener_ = *std::move(listener);
  port_ = *LocalPort(listener_.get());
  thread_ = std::thread([this] { Run(); });
}

WebSocketEcho::~WebSocketEcho() {
  SOCKGATE_CHECK(eventfd_write(stop_.get(), 1) == 0);
  thread_.join();
}

bool WebSocketEcho::Await(int fd) const {
  pollfd watched[] = {{stop_.get(), POLLIN, 0}, {fd, POLLIN, 0}};
  SOCKGATE_CHECK(poll(watched, 2, -1) > 0);
  return watched[0].revents == 0;
}

void WebSocketEcho::Run() {
  while (Await(listener_.get())) {
    const UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
    if (client.valid() && Await(client.get()) && ShakeHands(client.get())) EchoFrame(client.get());
  }
}

}  // namespace sockgate::testing
