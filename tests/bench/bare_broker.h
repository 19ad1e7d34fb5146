// BareBroker: the least that a process can do to hand out connected sockets.
//
// It is the floor that sockgate is measured against, not an example: it connects wherever it is
// asked to, blocks while it does, serves one client, and says nothing of failures. A request is a
// sockaddr_in, a reply one byte with a descriptor.
// Process: a child of its own. Threads: Connect() from one thread.

#ifndef SOCKGATE_TESTS_BENCH_BARE_BROKER_H_
#define SOCKGATE_TESTS_BENCH_BARE_BROKER_H_

#include <netinet/in.h>
#include <sys/types.h>

#include "absl/status/statusor.h"
#include "proto/unique_fd.h"
#include "tests/bench/child_process.h"

namespace sockgate::bench {

class BareBroker {
 public:
  static absl::StatusOr<BareBroker> Start();

  // One send(2), one recvmsg(2). Invalid when the broker could not connect.
  UniqueFd Connect(const sockaddr_in& target) const;

  pid_t pid() const { return process_.pid(); }

 private:
  explicit BareBroker(ChildProcess process) : process_(std::move(process)) {}

  ChildProcess process_;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_BARE_BROKER_H_
