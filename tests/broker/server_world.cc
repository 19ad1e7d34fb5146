#include "tests/broker/server_world.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sstream>
#include <utility>

#include "proto/packet_socket.h"

namespace sockgate::testing {

using nlohmann::json;

Role ServerWorld::TestRole() {
  Role role;
  role.name = "test";
  role.policy = Policy({*Rule::Parse(Decision::kAllow, "192.0.2.0/24:*"),
                        *Rule::Parse(Decision::kDeny, "192.0.2.66:*"),
                        *Rule::Parse(Decision::kAllow, "[2001:db8::/32]:*")});
  return role;
}

ServerWorld::ServerWorld(UniqueFd audit_fd, std::optional<std::chrono::milliseconds> patience)
    : log(memfd_create("audit", MFD_CLOEXEC)) {
  if (!audit_fd.valid()) audit_fd.Reset(fcntl(log.get(), F_DUPFD_CLOEXEC, 0));
  audit = std::make_unique<AuditLog>(std::move(audit_fd));
  NameServing serving;
  if (patience.has_value()) serving = {&names, *patience};
  server = std::make_unique<Server>(thread.loop(), &net, audit.get(), &usage, serving);
  thread.set_after_wakeup([this] {
    if (server != nullptr) server->AfterWakeup();
  });
}

ServerWorld::~ServerWorld() {
  Do([this] { server.reset(); });
}

TestWorker ServerWorld::AddWorker() {
  auto pair = MakeChannelPair();
  EXPECT_TRUE(pair.has_value());
  Serve(std::move(pair->broker));
  return TestWorker(std::move(pair->worker));
}

TestWorker ServerWorld::AddGreetedWorker() {
  TestWorker worker = AddWorker();
  worker.Greet();
  return worker;
}

TestWorker ServerWorld::AddGreetedWorkerOf(const RoleSnapshot& other) {
  auto pair = MakeChannelPair();
  EXPECT_TRUE(pair.has_value());
  Do([&] { server->AddWorker(std::move(pair->broker), other, {42, 7}); });
  TestWorker worker(std::move(pair->worker));
  worker.Greet();
  return worker;
}

void ServerWorld::Serve(UniqueFd broker_end) {
  Do([&] { server->AddWorker(std::move(broker_end), lent_role, {42, 7}); });
}

std::vector<json> ServerWorld::Audit() {
  Do([this] { audit->Flush(); });
  std::string text(static_cast<size_t>(lseek(log.get(), 0, SEEK_END)), '\0');
  EXPECT_EQ(pread(log.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(json::parse(line));
    EXPECT_EQ(lines.back().erase("time"), 1U) << line;
  }
  return lines;
}

std::vector<json> ServerWorld::Audit(const std::string& event) {
  std::vector<json> lines;
  for (json& line : Audit()) {
    if (line.at("event") == event) lines.push_back(std::move(line));
  }
  return lines;
}

std::string ServerWorld::AuditDetail(const std::string& change) {
  std::string detail;
  for (const json& line : Audit("channel")) {
    if (line.at("change") == change) detail = line.value("detail", "");
  }
  return detail;
}

}  // namespace sockgate::testing
