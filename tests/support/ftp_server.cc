#include "tests/support/ftp_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/check.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::testing {
namespace {

constexpr size_t kMaxLine = 4096;

void Say(int fd, const std::string& text) {
  size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t size = send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (size <= 0) return;
    sent += static_cast<size_t>(size);
  }
}

void Reply(int control, const std::string& line) { Say(control, line + "\r\n"); }

}  // namespace

FtpServer::FtpServer(Options options)
    : options_(std::move(options)), stop_(eventfd(0, EFD_CLOEXEC)) {
  auto listener = ListenTcp(options_.address, 0, 16);
  SOCKGATE_CHECK(stop_.valid() && listener.ok());
  listener_ = *std::move(listener);
  port_ = *LocalPort(listener_.get());
  thread_ = std::thread([this] { Run(); });
}

FtpServer::~FtpServer() {
  SOCKGATE_CHECK(eventfd_write(stop_.get(), 1) == 0);
  thread_.join();
}

std::vector<std::string> FtpServer::commands() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return commands_;
}

bool FtpServer::Await(int fd) const {
  pollfd watched[] = {{stop_.get(), POLLIN, 0}, {fd, POLLIN, 0}};
  SOCKGATE_CHECK(poll(watched, 2, -1) > 0);
  return watched[0].revents == 0;
}

void FtpServer::Run() {
  while (Await(listener_.get())) {
    const UniqueFd control(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (control.valid()) Serve(control.get());
    data_listener_.Reset();
  }
}

void FtpServer::Serve(int control) {
  Reply(control, "220 ready");
  std::string line;
  char byte;
  while (line.size() < kMaxLine && Await(control) && recv(control, &byte, 1, 0) == 1) {
    if (byte != '\n') {
      line += byte;
      continue;
    }
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!Obey(control, line)) return;
    line.clear();
  }
}

bool FtpServer::Obey(int control, const std::string& line) {
  const std::string verb = line.substr(0, line.find(' '));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    commands_.push_back(verb);
  }
  if (verb == "USER") {
    Reply(control, "331 password");
  } else if (verb == "PASS") {
    Reply(control, "230 welcome");
  } else if (verb == "PWD") {
    Reply(control, "257 \"/\"");
  } else if (verb == "CWD" || verb == "TYPE") {
    Reply(control, "200 yes");
  } else if (verb == "EPSV" && options_.epsv) {
    Listen(control, true);
  } else if (verb == "PASV") {
    Listen(control, false);
  } else if (verb == "SIZE") {
    Reply(control, absl::StrCat("213 ", options_.body.size()));
  } else if (verb == "RETR") {
    Send(control);
  } else {
    Reply(control, verb == "QUIT" ? "221 bye" : "500 unknown");
  }
  return verb != "QUIT";
}

void FtpServer::Listen(int control, bool extended) {
  auto listener = ListenTcp(options_.address, 0, 1);
  SOCKGATE_CHECK(listener.ok());
  data_listener_ = *std::move(listener);
  const uint16_t port = *LocalPort(data_listener_.get());
  Reply(control, extended ? absl::StrCat("229 passive (|||", port, "|)")
                          : absl::StrCat("227 passive (", options_.pasv_host, ",", port >> 8, ",",
                                         port & 0xff, ")"));
}

void FtpServer::Send(int control) {
  if (!data_listener_.valid()) return Reply(control, "425 no data connection");
  Reply(control, "150 here it comes");
  if (!Await(data_listener_.get())) return;
  UniqueFd data(accept4(data_listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  Say(data.get(), options_.body);
  data.Reset();
  data_listener_.Reset();
  Reply(control, "226 done");
}

}  // namespace sockgate::testing
