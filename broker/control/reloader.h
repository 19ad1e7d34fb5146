// Reloader: puts what the policy file says now in the place of the policy in force.
//
// Process: broker, in any thread but the loop's.
// Ownership: the broker and the log are lent and must outlive the reloader.
// Threads: any. Two reloads come one after the other.
// Blocking: Reload() as long as LoadServablePolicy() and Broker::Replace() do; nobody's requests
// wait for it.
// Trusted but checked: the file.
// Failure: a file with an error, or one whose paths cannot be listened on, changes nothing: the
// policy of before stays in force. Why is told to the operator and the audit log, and kept for
// whoever asks.

#ifndef SOCKGATE_BROKER_CONTROL_RELOADER_H_
#define SOCKGATE_BROKER_CONTROL_RELOADER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "broker/control/operator_log.h"
#include "broker/control/servable_policy.h"
#include "broker/ordered_by.h"
#include "broker/policy/finding.h"
#include "broker/policy/policy_file.h"

namespace sockgate {

// What came of one reload.
struct ReloadReport {
  bool loaded = false;
  uint64_t generation = 0;  // of the policy in force now
  std::vector<Finding> findings;
};

class Reloader {
 public:
  using Time = std::chrono::system_clock::time_point;
  using Loader = std::function<LoadedPolicy(const std::string& path)>;

  // The broker has the policy of the file at `path` already.
  Reloader(Broker* broker, std::string path, OperatorLog* log, Loader load = LoadServablePolicy);

  ReloadReport Reload(const OrderedBy& by = {});

  struct Failure {
    Time at;
    std::vector<Finding> findings;
  };
  struct State {
    Time loaded_at;                     // when the policy in force was put there
    std::optional<Failure> last_error;  // of the last reload, unless it succeeded
  };
  State state() const;

  const std::string& path() const { return path_; }

 private:
  // Adds to the findings why it failed.
  bool Load(std::vector<Finding>* findings, const OrderedBy& by);
  void Tell(const ReloadReport& report) const;
  void NoteIfRejected(const ReloadReport& report, const OrderedBy& by) const;
  void Remember(const ReloadReport& report);

  Broker* const broker_;
  const std::string path_;
  OperatorLog* const log_;
  const Loader load_;
  std::mutex reloading_;
  mutable std::mutex mutex_;
  State state_;  // guarded by mutex_
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONTROL_RELOADER_H_
