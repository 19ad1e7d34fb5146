// PolicyDaemon: a real `sockgate serve --policy` in a folder of its own, with a control socket and
// an audit log.
//
// Process: the test; the daemon is its child and ends with the object. Every wait ends after ten
// seconds.

#ifndef SOCKGATE_TESTS_TOOL_POLICY_DAEMON_H_
#define SOCKGATE_TESTS_TOOL_POLICY_DAEMON_H_

#include <sys/types.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/broker/temp_folder.h"
#include "tests/broker/test_worker.h"

namespace sockgate::testing {

class PolicyDaemon {
 public:
  PolicyDaemon() = default;
  ~PolicyDaemon();
  PolicyDaemon(const PolicyDaemon&) = delete;
  PolicyDaemon& operator=(const PolicyDaemon&) = delete;

  // A policy with one role, "fetch", which may have these ports of 127.0.0.1, and a path for it.
  std::string PolicyText(const std::string& ports) const;
  void WritePolicy(const std::string& text) const;

  // Where the audit log of the next one goes.
  void AuditTo(std::string where) { audit_ = std::move(where); }

  // Starts it, with these options beside its own, and waits until it answers. `prepare` is called in
  // its process first.
  bool Start(
      const std::vector<std::string>& options = {}, const std::function<void()>& prepare = [] {});
  void Signal(int number) const;
  // How it ended after SIGTERM, as waitpid(2) says. The test fails if its own filter killed it, and
  // names the call that is not listed.
  int Stop();
  // The folder and what is in it by now belong to this user. For root only.
  void GiveFolderTo(uid_t user, gid_t group) const;

  // A worker of the role that has said hello.
  TestWorker Worker() const;
  // What the daemon says when asked for its status; null when it does not answer.
  nlohmann::json Status() const;
  bool Await(const std::function<bool(const nlohmann::json& status)>& condition) const;

  // The audit log, line by line, or another file of it.
  std::vector<nlohmann::json> Audit() const { return Audit(audit_); }
  static std::vector<nlohmann::json> Audit(const std::string& file);
  std::string StandardError() const;

  pid_t pid() const { return pid_; }
  std::string InFolder(const std::string& name) const { return folder_ / name; }
  const std::string& policy() const { return policy_; }
  const std::string& control() const { return control_; }
  const std::string& path() const { return path_; }
  const std::string& audit() const { return audit_; }

 private:
  const TempFolder folder_;
  const std::string policy_ = folder_ / "policy.toml";
  const std::string control_ = folder_ / "control";
  const std::string path_ = folder_ / "fetch";
  std::string audit_ = folder_ / "audit";
  const std::string stderr_ = folder_ / "stderr";
  pid_t pid_ = -1;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_TOOL_POLICY_DAEMON_H_
