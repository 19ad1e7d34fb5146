#include "tests/tool/fetch/scripted_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::testing {
namespace {

void ReadHead(int client) {
  std::string head;
  char byte;
  while (!absl::EndsWith(head, "\r\n\r\n") && recv(client, &byte, 1, 0) == 1) head += byte;
}

void Send(int client, const std::string& text) {
  size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t size = send(client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (size <= 0) return;
    sent += static_cast<size_t>(size);
  }
}

}  // namespace

ScriptedServer::ScriptedServer(std::vector<std::string> replies)
    : listener_(*ListenTcp("127.0.0.1", 0, 16)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      thread_([this, script = std::move(replies)] { Serve(script); }) {}

ScriptedServer::~ScriptedServer() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

std::string ScriptedServer::authority() const {
  return absl::StrCat("127.0.0.1:", *LocalPort(listener_.get()));
}

void ScriptedServer::Serve(const std::vector<std::string>& replies) {
  for (const std::string& reply : replies) {
    pollfd entries[] = {{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    poll(entries, 2, -1);
    if (entries[0].revents != 0) return;
    const UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ReadHead(client.get());
    ++served_;
    Send(client.get(), reply);
  }
}

std::string HttpReplyText(const std::string& status, const std::string& body,
                          const std::string& headers) {
  return absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Length: ", body.size(),
                      "\r\nConnection: close\r\n", headers, "\r\n", body);
}

}  // namespace sockgate::testing
