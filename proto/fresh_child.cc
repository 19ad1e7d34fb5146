#include "proto/fresh_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

namespace sockgate {
namespace {

constexpr rlim_t kFewestTried = 65536;
constexpr rlim_t kMostTried = 1048576;

unsigned LastWorthTrying() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return static_cast<unsigned>(kMostTried);
  return static_cast<unsigned>(std::clamp(limit.rlim_max, kFewestTried, kMostTried));
}

// Closes first..last, both included.
int CloseGap(unsigned first, unsigned last) {
  if (close_range(first, last, 0) == 0) return 0;
  if (errno != ENOSYS && errno != EPERM) return errno;
  last = std::min(last, LastWorthTrying());
  for (unsigned fd = first; fd <= last; ++fd) close(static_cast<int>(fd));
  return 0;
}

}  // namespace

pid_t ForkWithoutSignals() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const pid_t pid = fork();
  const int error = errno;
  if (pid != 0) pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

void ResetSignals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction before;
    if ((number == SIGINT || number == SIGHUP) && sigaction(number, nullptr, &before) == 0 &&
        before.sa_handler == SIG_IGN) {
      continue;
    }
    sigaction(number, &standard, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

int FillStandardStreams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    if (open("/dev/null", O_RDWR) != fd) return errno;
  }
  return 0;
}

int CloseAllDescriptorsBut(const std::vector<int>& keep) {
  unsigned next = 0;
  for (const int fd : keep) {
    const auto kept = static_cast<unsigned>(fd);
    if (kept > next) {
      if (const int error = CloseGap(next, kept - 1)) return error;
    }
    next = kept + 1;
  }
  return CloseGap(next, UINT_MAX);
}

}  // namespace sockgate
