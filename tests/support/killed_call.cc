#include "tests/support/killed_call.h"

#include <seccomp.h>
#include <signal.h>
#include <sys/klog.h>
#include <sys/wait.h>

#include <cstdlib>
#include <memory>

namespace sockgate::testing {
namespace {

// syslog(2): read everything that is there, and how much that can be.
constexpr int kReadAll = 3;
constexpr int kSize = 10;

std::string KernelLog() {
  const int size = klogctl(kSize, nullptr, 0);
  if (size <= 0) return "";
  std::string log(static_cast<size_t>(size), '\0');
  const int read = klogctl(kReadAll, log.data(), size);
  log.resize(read > 0 ? static_cast<size_t>(read) : 0);
  return log;
}

// The number behind " syscall=" in the last line of audit's about this process; -1: there is none.
int NumberFrom(const std::string& log, pid_t pid) {
  size_t end = log.size();
  while (true) {
    const size_t at = log.rfind("type=1326 ", end);
    if (at == std::string::npos) return -1;
    const std::string line = log.substr(at, log.find('\n', at) - at);
    const size_t number = line.find(" syscall=");
    if (line.find(" pid=" + std::to_string(pid) + " ") != std::string::npos &&
        number != std::string::npos) {
      return std::atoi(line.c_str() + number + sizeof(" syscall=") - 1);
    }
    if (at == 0) return -1;
    end = at - 1;
  }
}

}  // namespace

std::string KilledCall(pid_t pid, int wait_status) {
  if (!WIFSIGNALED(wait_status) || WTERMSIG(wait_status) != SIGSYS) return "";
  const int number = NumberFrom(KernelLog(), pid);
  if (number < 0) return "killed by its filter; the kernel's log does not say at which call";
  const std::unique_ptr<char, void (*)(void*)> name(
      seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), free);
  return std::string("killed by its filter at ") + (name == nullptr ? "?" : name.get()) + " (" +
         std::to_string(number) + ")";
}

}  // namespace sockgate::testing
