#include "tests/tool/policy_daemon.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "absl/strings/str_cat.h"
#include "proto/check.h"
#include "tests/broker/replace_world.h"
#include "tests/support/killed_call.h"
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

bool PolicyDaemon::Start(const std::vector<std::string>& options,
                         const std::function<void()>& prepare) {
  std::vector<std::string> arguments = {"serve",  "--policy", policy_, "--control",
                                        control_, "--audit",  audit_};
  arguments.insert(arguments.end(), options.begin(), options.end());
  pid_ = StartSockgate(arguments, stderr_, [&prepare] {
    // At its end AddressSanitizer would look for leaks, by calls that its cage kills for.
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    prepare();
  });
  return Await([](const json& status) { return !status.is_null(); });
}

void PolicyDaemon::Signal(int number) const { kill(pid_, number); }

int PolicyDaemon::Stop() {
  int status = -1;
  Signal(SIGTERM);
  waitpid(pid_, &status, 0);
  EXPECT_EQ(KilledCall(pid_, status), "");
  pid_ = -1;
  return status;
}

void PolicyDaemon::GiveFolderTo(uid_t user, gid_t group) const {
  SOCKGATE_CHECK(chown((folder_ / ".").c_str(), user, group) == 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / ".")) {
    SOCKGATE_CHECK(lchown(entry.path().c_str(), user, group) == 0);
  }
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

std::vector<json> PolicyDaemon::Audit(const std::string& name) {
  std::vector<json> lines;
  std::ifstream file(name);
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

std::string PolicyDaemon::StandardError() const {
  std::ifstream file(stderr_);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace sockgate::testing
