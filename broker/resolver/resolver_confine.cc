#include "broker/resolver/resolver_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <type_traits>

namespace sockgate {
namespace {

// Two channels, a stand-in, and a few sockets for each question under way.
constexpr rlim_t kDescriptors = 1024;

// What it may allocate besides what it has at its start. A TCP answer is 64 KiB at most, and c-ares
// holds one for each of its channels and servers.
constexpr rlim_t kMoreMemoryBytes = 256 * 1024 * 1024;

using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, void (*)(scmp_filter_ctx)>;

absl::Status LimitTo(int resource, rlim_t most) {
  rlimit limit = {};
  if (getrlimit(resource, &limit) != 0) return absl::ErrnoToStatus(errno, "getrlimit");
  limit.rlim_max = std::min(limit.rlim_max, most);
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(resource, &limit) != 0) return absl::ErrnoToStatus(errno, "setrlimit");
  return absl::OkStatus();
}

// So that what a hostile answer makes it allocate ends the resolver and not the machine. Relative,
// because it begins as a copy of the broker. Best effort: without /proc nobody says how large that
// is, and with a sanitizer it is beyond any bound.
absl::Status LimitMemory() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // proc(5), statm: the sixth number is data and stack, in pages.
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  for (int i = 0; i < 6; ++i) statm >> pages;
  if (statm) {
    const auto page_bytes = static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
    return LimitTo(RLIMIT_DATA, pages * page_bytes + kMoreMemoryBytes);
  }
#endif
  return absl::OkStatus();
}

absl::Status DropPrivileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return absl::ErrnoToStatus(errno, "prctl");
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  if (syscall(SYS_capset, &header, none) != 0) return absl::ErrnoToStatus(errno, "capset");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return absl::ErrnoToStatus(errno, "prctl");
  return absl::OkStatus();
}

bool Allow(const Filter& filter, int call, std::initializer_list<scmp_arg_cmp> when = {}) {
  return seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call,
                                static_cast<unsigned>(when.size()),
                                when.size() == 0 ? nullptr : when.begin()) == 0;
}

constexpr scmp_arg_cmp IntIs(unsigned index, uint64_t value) {
  return {index, SCMP_CMP_MASKED_EQ, 0xffffffff, value};
}

constexpr scmp_arg_cmp BitsClear(unsigned index, uint64_t bits) {
  return {index, SCMP_CMP_MASKED_EQ, bits, 0};
}

bool AllowSockets(const Filter& filter) {
  return Allow(filter, SCMP_SYS(epoll_wait)) && Allow(filter, SCMP_SYS(epoll_pwait)) &&
         Allow(filter, SCMP_SYS(epoll_ctl)) && Allow(filter, SCMP_SYS(recvfrom)) &&
         Allow(filter, SCMP_SYS(recvmsg)) &&
         // An address re-aims a datagram socket, MSG_FASTOPEN one whose connection failed.
         Allow(filter, SCMP_SYS(sendto), {BitsClear(3, MSG_FASTOPEN), {4, SCMP_CMP_EQ, 0, 0}}) &&
         Allow(filter, SCMP_SYS(fcntl), {IntIs(1, F_DUPFD_CLOEXEC)}) &&
         Allow(filter, SCMP_SYS(dup3)) && Allow(filter, SCMP_SYS(close));
}

// All operations but FUTEX_WAIT and FUTEX_WAKE, which is what locks are made of.
constexpr uint64_t kFutexBits =
    0xffffffff & ~uint64_t{FUTEX_WAIT | FUTEX_WAKE | FUTEX_PRIVATE_FLAG};

bool AllowMemoryAndTime(const Filter& filter) {
  return Allow(filter, SCMP_SYS(mmap), {BitsClear(2, PROT_EXEC)}) &&
         Allow(filter, SCMP_SYS(mprotect), {BitsClear(2, PROT_EXEC)}) &&
         Allow(filter, SCMP_SYS(munmap)) && Allow(filter, SCMP_SYS(mremap)) &&
         Allow(filter, SCMP_SYS(madvise)) && Allow(filter, SCMP_SYS(brk)) &&
         Allow(filter, SCMP_SYS(futex), {BitsClear(1, kFutexBits)}) &&
         Allow(filter, SCMP_SYS(getrandom)) && Allow(filter, SCMP_SYS(clock_gettime)) &&
         Allow(filter, SCMP_SYS(gettimeofday)) && Allow(filter, SCMP_SYS(rt_sigreturn)) &&
         Allow(filter, SCMP_SYS(restart_syscall)) && Allow(filter, SCMP_SYS(exit_group));
}

// What AddressSanitizer's runtime needs: the signal stack at each call that does not return, and a
// pipe to probe memory through. Only a build with it has these rules.
bool AllowSanitizer([[maybe_unused]] const Filter& filter) {
#if defined(__SANITIZE_ADDRESS__)
  return Allow(filter, SCMP_SYS(sigaltstack)) && Allow(filter, SCMP_SYS(pipe2)) &&
         Allow(filter, SCMP_SYS(getpid)) && Allow(filter, SCMP_SYS(gettid)) &&
         Allow(filter, SCMP_SYS(sched_yield));
#else
  return true;
#endif
}

absl::Status LoadFilter() {
  const Filter filter(seccomp_init(SCMP_ACT_KILL_PROCESS), seccomp_release);
  if (filter == nullptr) return absl::InternalError("libseccomp gives no filter");
  if (seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0 ||
      !AllowSockets(filter) || !AllowMemoryAndTime(filter) || !AllowSanitizer(filter)) {
    return absl::InternalError("libseccomp refuses a rule");
  }
  const int failed = seccomp_load(filter.get());
  return failed == 0 ? absl::OkStatus() : absl::ErrnoToStatus(-failed, "seccomp");
}

}  // namespace

absl::Status ConfineResolver() {
  absl::Status status = LimitTo(RLIMIT_NOFILE, kDescriptors);
  // A core file would hold what was asked.
  if (status.ok()) status = LimitTo(RLIMIT_CORE, 0);
  if (status.ok()) status = LimitMemory();
  if (status.ok()) status = DropPrivileges();
  return status.ok() ? LoadFilter() : status;
}

}  // namespace sockgate
