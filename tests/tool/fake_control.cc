#include "tests/tool/fake_control.h"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "proto/check.h"
#include "proto/endpoint.h"

namespace sockgate::testing {
namespace {

UniqueFd ListenAt(const std::string& path) {
  sockaddr_storage address;
  const socklen_t length = Endpoint::Unix(path)->ToSockaddr(&address);
  UniqueFd listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  SOCKGATE_CHECK(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  SOCKGATE_CHECK(listen(listener.get(), 5) == 0);
  return listener;
}

}  // namespace

FakeControl::FakeControl(std::string path)
    : path_(std::move(path)), listener_(ListenAt(path_)), thread_([this] { Serve(); }) {}

FakeControl::~FakeControl() {
  shutdown(listener_.get(), SHUT_RDWR);
  thread_.join();
  unlink(path_.c_str());
}

void FakeControl::Say(const nlohmann::json& reply) {
  const std::lock_guard<std::mutex> lock(mutex_);
  reply_ = reply.dump();
}

void FakeControl::SayNothing() {
  const std::lock_guard<std::mutex> lock(mutex_);
  reply_.reset();
}

void FakeControl::HangUp() {
  const std::lock_guard<std::mutex> lock(mutex_);
  waiting_.clear();
}

int FakeControl::asked() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return asked_;
}

void FakeControl::Serve() {
  while (true) {
    UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.valid()) return;
    char word[64];
    if (recv(client.get(), word, sizeof(word), 0) <= 0) continue;
    const std::lock_guard<std::mutex> lock(mutex_);
    ++asked_;
    if (reply_.has_value()) {
      send(client.get(), reply_->data(), reply_->size(), MSG_NOSIGNAL);
    } else {
      waiting_.push_back(std::move(client));
    }
  }
}

}  // namespace sockgate::testing
