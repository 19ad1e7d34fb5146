#include "tests/broker/replace_world.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sstream>
#include <utility>

#include "proto/endpoint.h"

namespace sockgate::testing {

using nlohmann::json;

Role RoleThatAllows(const std::string& name, const std::vector<std::string>& allow) {
  std::vector<Rule> rules;
  for (const std::string& text : allow) rules.push_back(*Rule::Parse(Decision::kAllow, text));
  Role role;
  role.name = name;
  role.policy = Policy(std::move(rules));
  return role;
}

ReplaceWorld::ReplaceWorld(std::vector<Role> roles, uint32_t threads)
    : log_(memfd_create("audit", MFD_CLOEXEC)) {
  BrokerOptions options;
  options.roles = std::move(roles);
  options.threads = threads;
  options.audit.Reset(fcntl(log_.get(), F_DUPFD_CLOEXEC, 0));
  broker_ = *Broker::Create(std::move(options));
}

void ReplaceWorld::StartRunning(void (*first)()) {
  thread_ = std::thread([this, first] {
    first();
    broker_->Run();
  });
}

void ReplaceWorld::Stop() {
  if (!thread_.joinable()) return;
  broker_->Stop();
  thread_.join();
}

void ReplaceWorld::End() {
  Stop();
  broker_.reset();
}

TestWorker ReplaceWorld::AddGreetedWorker(const std::string& role) {
  TestWorker worker(*broker_->AddWorker(role));
  worker.Greet();
  return worker;
}

TestWorker ReplaceWorld::ConnectToPath(const std::string& path) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_storage address;
  const socklen_t length = Endpoint::Unix(path)->ToSockaddr(&address);
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) socket.Reset();
  return TestWorker(std::move(socket));
}

std::vector<json> ReplaceWorld::Audit(const std::string& event) const {
  std::string text(static_cast<size_t>(lseek(log_.get(), 0, SEEK_END)), '\0');
  EXPECT_EQ(pread(log_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    json parsed = json::parse(line);
    if (parsed.at("event") == event) lines.push_back(std::move(parsed));
  }
  return lines;
}

}  // namespace sockgate::testing
