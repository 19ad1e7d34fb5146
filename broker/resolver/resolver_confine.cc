#include "broker/resolver/resolver_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "confine/profile.h"

namespace sockgate {
namespace {

using confine::BitsClear;
using confine::IntIs;
using confine::kAllow;
using confine::Profile;
using confine::WordIs;

// Two channels, a stand-in, and a few sockets for each question under way.
constexpr rlim_t kDescriptors = 1024;

// What it may allocate besides what it has at its start. A TCP answer is 64 KiB at most, and c-ares
// holds one for each of its channels and servers.
constexpr rlim_t kMoreMemoryBytes = 256 * 1024 * 1024;

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

// All operations but FUTEX_WAIT and FUTEX_WAKE, which is what locks are made of.
constexpr uint64_t kFutexBits =
    0xffffffff & ~uint64_t{FUTEX_WAIT | FUTEX_WAKE | FUTEX_PRIVATE_FLAG};

Profile ResolverProfile() {
  Profile profile;
  profile.name = "resolver";
  profile.rules = {
    {"epoll_wait", kAllow},
    {"epoll_pwait", kAllow},
    {"epoll_ctl", kAllow},
    {"recvfrom", kAllow},
    {"recvmsg", kAllow},
    // An address re-aims a datagram socket, MSG_FASTOPEN one whose connection failed.
    {"sendto", kAllow, {BitsClear(3, MSG_FASTOPEN), WordIs(4, 0)}},
    {"fcntl", kAllow, {IntIs(1, F_DUPFD_CLOEXEC)}},
    {"dup3", kAllow},
    {"close", kAllow},

    {"mmap", kAllow, {BitsClear(2, PROT_EXEC)}},
    {"mprotect", kAllow, {BitsClear(2, PROT_EXEC)}},
    {"munmap", kAllow},
    {"mremap", kAllow},
    {"madvise", kAllow},
    {"brk", kAllow},
    {"futex", kAllow, {BitsClear(1, kFutexBits)}},
    {"getrandom", kAllow},
    {"clock_gettime", kAllow},
    {"gettimeofday", kAllow},
    {"rt_sigreturn", kAllow},
    {"restart_syscall", kAllow},
    {"exit_group", kAllow},

// What AddressSanitizer's runtime needs: the signal stack at each call that does not return, and a
// pipe to probe memory through. Only a build with it has these rules.
#if defined(__SANITIZE_ADDRESS__)
    {"sigaltstack", kAllow},
    {"pipe2", kAllow},
    {"getpid", kAllow},
    {"gettid", kAllow},
    {"sched_yield", kAllow},
#endif
  };
  return profile;
}

}  // namespace

absl::StatusOr<confine::ProcessCage> BuildResolverCage(confine::CageLevel level) {
  return confine::ProcessCage::Build(level, ResolverProfile(), confine::LandlockSpec());
}

absl::Status ConfineResolver(const confine::ProcessCage& cage) {
  absl::Status status = LimitTo(RLIMIT_NOFILE, kDescriptors);
  if (status.ok()) status = LimitMemory();
  return status.ok() ? cage.PutOn() : status;
}

}  // namespace sockgate
