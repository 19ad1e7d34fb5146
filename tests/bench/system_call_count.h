// SystemCallCount: counts the system calls of a child and of all processes that it starts.
//
// How: tests/support/call_report.h. Calls that libc makes without the kernel, such as
// clock_gettime(2), are none.
//
// Process: the caller forks, so it needs one thread. The child runs slower, by two switches a call.

#ifndef SOCKGATE_TESTS_BENCH_SYSTEM_CALL_COUNT_H_
#define SOCKGATE_TESTS_BENCH_SYSTEM_CALL_COUNT_H_

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>

#include "absl/status/statusor.h"

namespace sockgate::bench {

// What parent and child share.
struct CountedRun {
  std::atomic<bool> counting{false};  // the child sets it; calls count while it is set
  std::atomic<pid_t> helper{0};       // whose calls the child wants to know beside its own
};

struct SystemCallCounts {
  using ByNumber = std::map<int, size_t>;  // by __NR_...

  ByNumber child;   // of the child's first thread
  ByNumber helper;  // of the helper's first thread
  int exit_code = -1;

  static size_t Sum(const ByNumber& calls);
};

// `run` is executed in the child, which exits with what it returns. Unavailable: this host lets no
// process be watched so. DeadlineExceeded: it took longer than the patience.
absl::StatusOr<SystemCallCounts> CountSystemCalls(const std::function<int(CountedRun*)>& run,
                                                  std::chrono::seconds patience);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_SYSTEM_CALL_COUNT_H_
