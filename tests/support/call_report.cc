#include "tests/support/call_report.h"

#include <absl/status/status.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "proto/unique_fd.h"

namespace sockgate::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTickMs = 20;
constexpr useconds_t kTickUs = 1000;

constexpr int kNotYet = -1;
constexpr int kRefused = -2;

// In memory that parent and child share, because under the filter a system call may have to wait
// for the parent.
struct Shared {
  std::atomic<int> listener{kNotYet};  // its number in the child
  std::atomic<bool> taken{false};      // the parent has it too
};

struct Unmap {
  void operator()(Shared* shared) const { munmap(shared, sizeof(*shared)); }
};

std::unique_ptr<Shared, Unmap> Share() {
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return std::unique_ptr<Shared, Unmap>(memory == MAP_FAILED ? nullptr : new (memory) Shared);
}

// From here on the calls that the filter reports wait for the parent.
bool Install(const std::vector<sock_filter>& filter, Shared* shared) {
  const sock_fprog program = {static_cast<uint16_t>(filter.size()),
                              const_cast<sock_filter*>(filter.data())};
  const bool sealed = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  const auto listener = sealed ? syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                         SECCOMP_FILTER_FLAG_NEW_LISTENER, &program)
                               : -1;
  shared->listener.store(listener >= 0 ? static_cast<int>(listener) : kRefused);
  return listener >= 0;
}

[[noreturn]] void RunChild(const ReportingChild& child, Shared* shared) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  child.prepare();
  if (!Install(child.filter, shared)) _exit(EXIT_FAILURE);
  // A child that reports nothing could be gone before its listener is taken.
  while (!shared->taken.load()) {
  }
  _exit(child.run());
}

UniqueFd TakeListener(pid_t child, Shared* shared, Clock::time_point give_up) {
  while (shared->listener.load() == kNotYet && Clock::now() < give_up) usleep(kTickUs);
  if (shared->listener.load() < 0) return {};
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  UniqueFd listener(
      static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), shared->listener.load(), 0)));
  shared->taken.store(listener.valid());
  return listener;
}

void AnswerOne(int listener, pid_t child, const OnCall& on_call) {
  seccomp_notif call = {};
  // It may have been killed meanwhile.
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return;
  on_call(child, call);
  seccomp_notif_resp answer = {};
  answer.id = call.id;
  answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

// Until nobody is left who could report. False: that took too long.
bool AnswerAll(int listener, pid_t child, const OnCall& on_call, Clock::time_point give_up) {
  while (Clock::now() < give_up) {
    pollfd watched = {listener, POLLIN, 0};
    if (poll(&watched, 1, kTickMs) != 1) continue;
    if ((watched.revents & POLLIN) == 0) return true;
    AnswerOne(listener, child, on_call);
  }
  return false;
}

int Reap(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

absl::StatusOr<int> RunReporting(const ReportingChild& child, const OnCall& on_call,
                                 std::chrono::seconds patience) {
  const auto give_up = Clock::now() + patience;
  const auto shared = Share();
  if (shared == nullptr) return absl::ErrnoToStatus(errno, "mmap");
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) RunChild(child, shared.get());
  const UniqueFd listener = TakeListener(pid, shared.get(), give_up);
  const bool ended = listener.valid() && AnswerAll(listener.get(), pid, on_call, give_up);
  if (!ended) kill(pid, SIGKILL);
  const int exit_code = Reap(pid);
  if (shared->listener.load() == kNotYet) {
    return absl::DeadlineExceededError("the child did not come to its filter");
  }
  if (!listener.valid()) return absl::UnavailableError("no process may be watched by seccomp here");
  if (!ended) return absl::DeadlineExceededError("the child did not end");
  return exit_code;
}

}  // namespace sockgate::testing
