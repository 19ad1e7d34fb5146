// BenchBroker: the broker under test, in a process of its own, as it would be used.
//
// It has a role with ten rules, of which the last lets the measurement through, so each request is
// compared with all of them; and its audit log goes to a file, which has no name any more and is
// cut when it gets long.

#ifndef SOCKGATE_TESTS_BENCH_BENCH_BROKER_H_
#define SOCKGATE_TESTS_BENCH_BENCH_BROKER_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "broker/broker_process.h"
#include "proto/unique_fd.h"

namespace sockgate::bench {

class BenchBroker {
 public:
  static absl::StatusOr<BenchBroker> Start();

  // The worker's end of a new worker's channel.
  absl::StatusOr<UniqueFd> AddWorker();

  pid_t pid() const { return process_.pid(); }

  // Keeps the audit file small; to be called between measurements.
  void CutAuditLog();

 private:
  BenchBroker(BrokerProcess process, UniqueFd audit)
      : process_(std::move(process)), audit_(std::move(audit)) {}

  BrokerProcess process_;
  UniqueFd audit_;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_BENCH_BROKER_H_
