// LoadBroker: a broker in a process of its own, in its cage, that anybody may come to by a path.
//
// One role lets 127.0.0.0/8 and the test network's black hole through and nothing else; its limits
// are wide, so that what is measured is the broker and not its refusals. The audit log goes to a
// file, which is cut when it gets long.

#ifndef SOCKGATE_TESTS_BENCH_LOAD_LOAD_BROKER_H_
#define SOCKGATE_TESTS_BENCH_LOAD_LOAD_BROKER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "proto/unique_fd.h"
#include "tests/bench/child_process.h"
#include "tests/broker/temp_folder.h"

namespace sockgate::bench {

class LoadBroker {
 public:
  // Forks: needs a process with one thread.
  static absl::StatusOr<LoadBroker> Start();

  const std::string& path() const { return path_; }
  pid_t pid() const { return process_.pid(); }

  // Keeps the audit file small; to be called between measurements.
  void CutAuditLog() const;

 private:
  LoadBroker(std::unique_ptr<testing::TempFolder> folder, UniqueFd audit, ChildProcess process)
      : folder_(std::move(folder)),
        path_(*folder_ / "broker"),
        audit_(std::move(audit)),
        process_(std::move(process)) {}

  std::unique_ptr<testing::TempFolder> folder_;
  std::string path_;
  UniqueFd audit_;
  ChildProcess process_;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_LOAD_LOAD_BROKER_H_
