#include "tests/support/tunnel_proxy.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "proto/check.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::testing {
namespace {

constexpr char kSocksVersion = 5;
constexpr std::chrono::seconds kPatience(10);
constexpr size_t kMaxHead = 4096;

bool Say(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

std::string Hear(int fd, size_t size) {
  std::string bytes(size, '\0');
  const ssize_t got = recv(fd, bytes.data(), size, MSG_WAITALL);
  bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return bytes;
}

// "CONNECT 127.0.0.1:443 HTTP/1.1" and headers.
UniqueFd TunnelByHttp(int client) {
  std::string head;
  while (!absl::EndsWith(head, "\r\n\r\n") && head.size() < kMaxHead) {
    const std::string byte = Hear(client, 1);
    if (byte.empty()) return {};
    head += byte;
  }
  const size_t begin = head.find(' ') + 1;
  const size_t colon = head.find(':', begin);
  int port = 0;
  if (!absl::StartsWith(head, "CONNECT ") || colon == std::string::npos ||
      !absl::SimpleAtoi(head.substr(colon + 1, head.find(' ', colon) - colon - 1), &port)) {
    return {};
  }
  ConnectResult server =
      TryConnect(head.substr(begin, colon - begin), static_cast<uint16_t>(port), kPatience);
  const std::string answer =
      server.error == 0 ? "HTTP/1.1 200 go ahead\r\n\r\n" : "HTTP/1.1 502 no way\r\n\r\n";
  Say(client, answer.data(), answer.size());
  return std::move(server.fd);
}

// The greeting, then a CONNECT to an IPv4 address.
UniqueFd TunnelBySocks(int client) {
  const std::string greeting = Hear(client, 2);
  if (greeting.size() != 2) return {};
  Hear(client, static_cast<unsigned char>(greeting[1]));
  Say(client, "\x05\x00", 2);
  const std::string request = Hear(client, 10);
  if (request.size() != 10 || request.substr(0, 4) != std::string("\x05\x01\x00\x01", 4)) return {};
  std::array<char, INET_ADDRSTRLEN> address{};
  inet_ntop(AF_INET, &request[4], address.data(), address.size());
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(request[at]); };
  ConnectResult server =
      TryConnect(address.data(), static_cast<uint16_t>(byte(8) << 8 | byte(9)), kPatience);
  Say(client,
      server.error == 0 ? "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
                        : "\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00",
      10);
  return std::move(server.fd);
}

// False at the end of either.
bool CopyOnce(int from, int to) {
  std::array<char, 16384> buffer;
  const ssize_t size = recv(from, buffer.data(), buffer.size(), 0);
  return size > 0 && Say(to, buffer.data(), static_cast<size_t>(size));
}

}  // namespace

TunnelProxy::TunnelProxy() : stop_(eventfd(0, EFD_CLOEXEC)) {
  auto listener = ListenTcp("127.0.0.1", 0, 16);
  SOCKGATE_CHECK(stop_.valid() && listener.ok());
  listener_ = *std::move(listener);
  port_ = *LocalPort(listener_.get());
  thread_ = std::thread([this] { Run(); });
}

TunnelProxy::~TunnelProxy() {
  SOCKGATE_CHECK(eventfd_write(stop_.get(), 1) == 0);
  thread_.join();
}

bool TunnelProxy::Await(int fd) const {
  pollfd watched[] = {{stop_.get(), POLLIN, 0}, {fd, POLLIN, 0}};
  SOCKGATE_CHECK(poll(watched, 2, -1) > 0);
  return watched[0].revents == 0;
}

void TunnelProxy::Run() {
  while (Await(listener_.get())) {
    const UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const timeval patience = {kPatience.count(), 0};
    setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (client.valid()) Serve(client.get());
  }
}

void TunnelProxy::Serve(int client) const {
  char first = 0;
  if (!Await(client) || recv(client, &first, 1, MSG_PEEK) != 1) return;
  const UniqueFd server = first == kSocksVersion ? TunnelBySocks(client) : TunnelByHttp(client);
  if (server.valid()) Relay(client, server.get());
}

void TunnelProxy::Relay(int client, int server) const {
  while (true) {
    pollfd watched[] = {{stop_.get(), POLLIN, 0}, {client, POLLIN, 0}, {server, POLLIN, 0}};
    SOCKGATE_CHECK(poll(watched, 3, -1) > 0);
    if (watched[0].revents != 0) return;
    if (watched[1].revents != 0 && !CopyOnce(client, server)) return;
    if (watched[2].revents != 0 && !CopyOnce(server, client)) return;
  }
}

}  // namespace sockgate::testing
