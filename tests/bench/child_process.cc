#include "tests/bench/child_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <utility>

namespace sockgate::bench {

absl::StatusOr<ControlPair> MakeControlPair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return absl::ErrnoToStatus(errno, "socketpair");
  }
  ControlPair pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  const timeval patience = {kAnswerSeconds, 0};
  if (setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0) {
    return absl::ErrnoToStatus(errno, "SO_RCVTIMEO");
  }
  return pair;
}

absl::StatusOr<ChildProcess> ChildProcess::Start(const std::function<void(int control)>& run) {
  absl::StatusOr<ControlPair> pair = MakeControlPair();
  if (!pair.ok()) return pair.status();
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    pair->parent.Reset();
    run(pair->child.get());
    _exit(0);
  }
  return ChildProcess(pid, std::move(pair->parent));
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), control_(std::move(other.control_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this == &other) return *this;
  Stop();
  pid_ = std::exchange(other.pid_, -1);
  control_ = std::move(other.control_);
  return *this;
}

void ChildProcess::Stop() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

double CpuMicroseconds(pid_t pid) {
  clockid_t clock;
  timespec used;
  if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0) return 0;
  if (clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

}  // namespace sockgate::bench
