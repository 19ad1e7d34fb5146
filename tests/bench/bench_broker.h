// BenchBroker: the broker under test, in a process of its own, as it would be used.
//
// It has a role with ten rules, of which the last lets the measurement through, so each request is
// compared with all of them; with names, an eleventh lets every name of the name server through,
// and the broker's own resolver reads /etc/resolv.conf. Its audit log goes to a file, which has no
// name any more and is cut when it gets long.

#ifndef SOCKGATE_TESTS_BENCH_BENCH_BROKER_H_
#define SOCKGATE_TESTS_BENCH_BENCH_BROKER_H_

#include <sys/types.h>

#include <vector>

#include "absl/status/statusor.h"
#include "broker/broker.h"
#include "broker/broker_process.h"
#include "broker/policy/rule.h"
#include "proto/unique_fd.h"

namespace sockgate::bench {

class BenchBroker {
 public:
  static absl::StatusOr<BenchBroker> Start();
  static absl::StatusOr<BenchBroker> StartWithNames();

  // The worker's end of a new worker's channel.
  absl::StatusOr<UniqueFd> AddWorker();

  pid_t pid() const { return process_.pid(); }

  // Keeps the audit file small; to be called between measurements.
  void CutAuditLog();

 private:
  BenchBroker(BrokerProcess process, UniqueFd audit)
      : process_(std::move(process)), audit_(std::move(audit)) {}

  static absl::StatusOr<BenchBroker> StartWith(std::vector<Rule> rules, BrokerOptions options);

  BrokerProcess process_;
  UniqueFd audit_;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_BENCH_BROKER_H_
