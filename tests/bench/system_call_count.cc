#include "tests/bench/system_call_count.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <new>

#include "proto/unique_fd.h"

namespace sockgate::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTickMs = 20;
constexpr useconds_t kTickUs = 1000;

// What CountedRun::listener is when there can be none.
constexpr int kRefused = -2;

// From here on every call of this process waits for its parent.
void ReportCalls(CountedRun* shared) {
  sock_filter report = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  const sock_fprog program = {1, &report};
  const bool sealed = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  const auto listener = sealed ? syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                         SECCOMP_FILTER_FLAG_NEW_LISTENER, &program)
                               : -1;
  shared->listener.store(listener >= 0 ? static_cast<int>(listener) : kRefused);
}

UniqueFd TakeListener(pid_t child, const CountedRun& shared, Clock::time_point give_up) {
  while (shared.listener.load() == -1 && Clock::now() < give_up) usleep(kTickUs);
  if (shared.listener.load() < 0) return {};
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  return UniqueFd(
      static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), shared.listener.load(), 0)));
}

void CountOne(int listener, pid_t child, const CountedRun& shared, SystemCallCounts* counts) {
  seccomp_notif call = {};
  // It may have been killed meanwhile.
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return;
  if (shared.counting.load()) {
    const auto caller = static_cast<pid_t>(call.pid);
    if (caller == child) ++counts->child[call.data.nr];
    if (caller == shared.helper.load()) ++counts->helper[call.data.nr];
  }
  seccomp_notif_resp answer = {};
  answer.id = call.id;
  answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

// Until nobody is left who could report. False: that took too long.
bool CountAll(int listener, pid_t child, const CountedRun& shared, Clock::time_point give_up,
              SystemCallCounts* counts) {
  while (Clock::now() < give_up) {
    pollfd watched = {listener, POLLIN, 0};
    if (poll(&watched, 1, kTickMs) != 1) continue;
    if ((watched.revents & POLLIN) != 0) {
      CountOne(listener, child, shared, counts);
    } else {
      return true;
    }
  }
  return false;
}

int Reap(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct Unmap {
  void operator()(CountedRun* shared) const { munmap(shared, sizeof(*shared)); }
};

}  // namespace

size_t SystemCallCounts::Sum(const ByNumber& calls) {
  size_t sum = 0;
  for (const auto& [number, count] : calls) sum += count;
  return sum;
}

absl::StatusOr<SystemCallCounts> CountSystemCalls(const std::function<int(CountedRun*)>& run,
                                                  std::chrono::seconds patience) {
  const auto give_up = Clock::now() + patience;
  void* memory =
      mmap(nullptr, sizeof(CountedRun), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return absl::ErrnoToStatus(errno, "mmap");
  const std::unique_ptr<CountedRun, Unmap> shared(new (memory) CountedRun);
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ReportCalls(shared.get());
    _exit(shared->listener.load() >= 0 ? run(shared.get()) : 1);
  }
  SystemCallCounts counts;
  const UniqueFd listener = TakeListener(child, *shared, give_up);
  const bool ended = listener.valid() && CountAll(listener.get(), child, *shared, give_up, &counts);
  if (!ended) kill(child, SIGKILL);
  counts.exit_code = Reap(child);
  if (!listener.valid()) return absl::UnavailableError("no process may be watched by seccomp here");
  if (!ended) return absl::DeadlineExceededError("the child did not end");
  return counts;
}

}  // namespace sockgate::bench
