#include "tests/client/launch/forked.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sockgate::launch {
namespace {

constexpr unsigned kPatienceSeconds = 20;

[[noreturn]] void RunBody(const std::function<int()>& body) noexcept {
  alarm(kPatienceSeconds);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  _exit(body());
}

}  // namespace

void PrintTo(const ExitStatus& status, std::ostream* out) {
  if (status.signaled) {
    *out << "killed by signal " << status.code_or_signal;
  } else {
    *out << "exit code " << status.code_or_signal
         << " (as an errno: " << strerror(status.code_or_signal) << ")";
  }
}

ExitStatus RunForked(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) RunBody(body);
  int raw = 0;
  while (waitpid(pid, &raw, 0) < 0) {
    if (errno != EINTR) return Exited(-errno);
  }
  return WIFSIGNALED(raw) ? Signaled(WTERMSIG(raw)) : Exited(WEXITSTATUS(raw));
}

int ErrnoOf(int64_t result) { return result == -1 ? errno : 0; }

bool UnderAddressSanitizer() {
#if defined(__SANITIZE_ADDRESS__)
  return true;
#elif defined(__has_feature)
  return __has_feature(address_sanitizer);
#else
  return false;
#endif
}

}  // namespace sockgate::launch
