#include "tests/bench/system_call_count.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>

#include <cerrno>
#include <memory>
#include <new>

#include "tests/support/call_report.h"

namespace sockgate::bench {
namespace {

struct Unmap {
  void operator()(CountedRun* shared) const { munmap(shared, sizeof(*shared)); }
};

void CountOne(pid_t child, const seccomp_notif& call, const CountedRun& shared,
              SystemCallCounts* counts) {
  if (!shared.counting.load()) return;
  const auto caller = static_cast<pid_t>(call.pid);
  if (caller == child) ++counts->child[call.data.nr];
  if (caller == shared.helper.load()) ++counts->helper[call.data.nr];
}

}  // namespace

size_t SystemCallCounts::Sum(const ByNumber& calls) {
  size_t sum = 0;
  for (const auto& [number, count] : calls) sum += count;
  return sum;
}

absl::StatusOr<SystemCallCounts> CountSystemCalls(const std::function<int(CountedRun*)>& run,
                                                  std::chrono::seconds patience) {
  void* memory =
      mmap(nullptr, sizeof(CountedRun), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return absl::ErrnoToStatus(errno, "mmap");
  const std::unique_ptr<CountedRun, Unmap> shared(new (memory) CountedRun);
  testing::ReportingChild child;
  child.filter = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)};
  child.run = [&] { return run(shared.get()); };
  SystemCallCounts counts;
  const auto exit_code = testing::RunReporting(
      child, [&](pid_t pid, const seccomp_notif& call) { CountOne(pid, call, *shared, &counts); },
      patience);
  if (!exit_code.ok()) return exit_code.status();
  counts.exit_code = *exit_code;
  return counts;
}

}  // namespace sockgate::bench
