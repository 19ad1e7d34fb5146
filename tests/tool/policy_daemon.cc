#include "tests/tool/policy_daemon.h"

#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/broker/replace_world.h"
#include "tests/tool/command.h"
#include "tool/control_client.h"

namespace sockgate::testing {

using nlohmann::json;

PolicyDaemon::~PolicyDaemon() {
  if (pid_ > 0) Stop();
}

std::string PolicyDaemon::PolicyText(const std::string& ports) const {
  return absl::StrCat("version = 1\n[[listen]]\npath = \"", path_,
                      "\"\nrole = \"fetch\"\n[roles.fetch]\nallow = [\n",
                      "  { cidr = \"127.0.0.1\", ports = \"", ports, "\" },\n]\n");
}

void PolicyDaemon::WritePolicy(const std::string& text) const { std::ofstream(policy_) << text; }

bool PolicyDaemon::Start() {
  pid_ = StartSockgate({"serve", "--policy", policy_, "--control", control_, "--audit", audit_},
                       stderr_);
  return Await([](const json& status) { return !status.is_null(); });
}

void PolicyDaemon::Signal(int number) const { kill(pid_, number); }

int PolicyDaemon::Stop() {
  int status = -1;
  Signal(SIGTERM);
  waitpid(std::exchange(pid_, -1), &status, 0);
  return status;
}

TestWorker PolicyDaemon::Worker() const {
  TestWorker worker = ReplaceWorld::ConnectToPath(path_);
  worker.Greet();
  return worker;
}

json PolicyDaemon::Status() const {
  auto reply = AskBroker(control_, "status");
  return reply.ok() ? *std::move(reply) : json();
}

bool PolicyDaemon::Await(const std::function<bool(const json& status)>& condition) const {
  for (int i = 0; i < 1000; ++i) {
    if (condition(Status())) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

std::vector<json> PolicyDaemon::Audit() const {
  std::vector<json> lines;
  std::ifstream file(audit_);
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

std::string PolicyDaemon::StandardError() const {
  std::ifstream file(stderr_);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace sockgate::testing
