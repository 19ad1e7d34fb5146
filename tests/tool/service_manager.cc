#include "tests/tool/service_manager.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "proto/check.h"
#include "proto/endpoint.h"

namespace sockgate::testing {
namespace {

void BindTo(const UniqueFd& socket, std::string name) {
  if (name[0] == '@') name[0] = '\0';
  sockaddr_storage address;
  const socklen_t length = Endpoint::Unix(std::move(name))->ToSockaddr(&address);
  SOCKGATE_CHECK(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
}

}  // namespace

ServiceManager::ServiceManager(std::string notify)
    : notify_(std::move(notify)), heard_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  BindTo(heard_, notify_);
  // As the real one's.
  if (notify_[0] == '/') SOCKGATE_CHECK(chmod(notify_.c_str(), 0777) == 0);
  const int on = 1;
  SOCKGATE_CHECK(setsockopt(heard_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
}

void ServiceManager::Bind(const std::string& path, mode_t mode) {
  UniqueFd listening(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  BindTo(listening, path);
  SOCKGATE_CHECK(chmod(path.c_str(), mode) == 0 && listen(listening.get(), 64) == 0);
  sockets_.push_back(std::move(listening));
}

std::function<void()> ServiceManager::Hands(std::chrono::microseconds watchdog) const {
  return [this, watchdog] {
    const std::string pid = std::to_string(getpid());
    // Out of the way of each other first.
    std::vector<int> aside;
    for (const UniqueFd& one : sockets_) aside.push_back(fcntl(one.get(), F_DUPFD_CLOEXEC, 64));
    for (size_t i = 0; i < aside.size(); ++i) dup2(aside[i], 3 + static_cast<int>(i));
    setenv("NOTIFY_SOCKET", notify_.c_str(), 1);
    if (!aside.empty()) {
      setenv("LISTEN_FDS", std::to_string(aside.size()).c_str(), 1);
      setenv("LISTEN_PID", pid.c_str(), 1);
      setenv("LISTEN_FDNAMES", "sockgate.socket", 1);
    }
    if (watchdog.count() == 0) return;
    setenv("WATCHDOG_USEC", std::to_string(watchdog.count()).c_str(), 1);
    setenv("WATCHDOG_PID", pid.c_str(), 1);
  };
}

std::string ServiceManager::Next(pid_t from, std::chrono::milliseconds patience) const {
  pollfd entry = {heard_.get(), POLLIN, 0};
  if (poll(&entry, 1, static_cast<int>(patience.count())) != 1) return "";
  std::array<char, 4096> text;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
  iovec block = {text.data(), text.size()};
  msghdr message = {};
  message.msg_iov = &block;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = recvmsg(heard_.get(), &message, MSG_CMSG_CLOEXEC);
  SOCKGATE_CHECK(size >= 0 && CMSG_FIRSTHDR(&message) != nullptr);
  ucred sender;
  memcpy(&sender, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(sender));
  EXPECT_EQ(sender.pid, from);
  return {text.data(), static_cast<size_t>(size)};
}

std::string ServiceManager::NextOf(pid_t from, const std::string& beginning) const {
  while (true) {
    std::string message = Next(from);
    if (message.empty() || message.compare(0, beginning.size(), beginning) == 0) return message;
  }
}

}  // namespace sockgate::testing
