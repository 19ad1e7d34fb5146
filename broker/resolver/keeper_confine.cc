#include "broker/resolver/keeper_confine.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <initializer_list>

#include "confine/folders.h"
#include "confine/libc_calls.h"
#include "confine/profile.h"

namespace sockgate {
namespace {

using confine::BitsClear;
using confine::Errno;
using confine::IntIs;
using confine::IntIsApartFrom;
using confine::kAllow;
using confine::kForkFlags;
using confine::Profile;
using confine::Rule;
using confine::WordIs;

std::vector<Rule> KeeperRules() {
  return {
      {"clone", kAllow, {WordIs(0, kForkFlags)}},
      {"clone3", Errno(ENOSYS)},
      {"wait4", kAllow},
      // Only to its own resolver: Landlock's scope sees to that where the kernel has it, and the
      // user's other processes are not out of reach where it has not.
      {"kill", kAllow, {IntIs(1, SIGKILL)}},
      {"poll", kAllow},
      {"ppoll", kAllow},
      {"read", kAllow},
      {"close", kAllow},
      {"socketpair",
       kAllow,
       {IntIs(0, AF_UNIX), IntIsApartFrom(1, SOCK_CLOEXEC, SOCK_SEQPACKET), IntIs(2, 0)}},
      {"getsockopt", kAllow, {IntIs(1, SOL_SOCKET)}},
      {"setsockopt", kAllow, {IntIs(1, SOL_SOCKET)}},
      {"sendto", kAllow, {BitsClear(3, MSG_FASTOPEN), WordIs(4, 0)}},
      {"sendmsg", kAllow},
      {"recvmsg", kAllow},
      {"recvfrom", kAllow},
      {"getpid", kAllow},
      {"getppid", kAllow},
      {"gettid", kAllow},
      {"set_robust_list", kAllow},
      {"rseq", kAllow},
      {"rt_sigprocmask", kAllow},
      {"rt_sigaction", kAllow},
      {"rt_sigreturn", kAllow},
      {"restart_syscall", kAllow},
      {"clock_gettime", kAllow},
      {"gettimeofday", kAllow},
      {"getrandom", kAllow},
      {"futex", kAllow},
      {"mmap", kAllow, {BitsClear(2, PROT_EXEC)}},
      {"mprotect", kAllow, {BitsClear(2, PROT_EXEC)}},
      {"munmap", kAllow},
      {"mremap", kAllow},
      {"madvise", kAllow},
      {"brk", kAllow},
      {"exit_group", kAllow},
  };
}

// What a resolver does before it is one: arrange descriptors, read files, make c-ares's channels,
// confine itself.
std::vector<Rule> StartingResolverRules() {
  return {
      {"close_range", kAllow},
      {"fcntl", kAllow, {IntIs(1, F_GETFD)}},
      {"fcntl", kAllow, {IntIs(1, F_GETFL)}},
      {"fcntl", kAllow, {IntIs(1, F_DUPFD_CLOEXEC)}},
      {"dup3", kAllow},
      // To write only to what is there already: /dev/null.
      {"openat", kAllow, {BitsClear(2, O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))}},
      {"newfstatat", kAllow},
      {"fstat", kAllow},
      {"stat", kAllow},
      {"lseek", kAllow},
      {"readv", kAllow},
      {"write", kAllow},  // standard error
      {"writev", kAllow},
      {"ioctl", Errno(ENOTTY)},
      {"uname", kAllow},
      {"sysinfo", Errno(EPERM)},
      {"epoll_create1", kAllow},
      {"epoll_ctl", kAllow},
      {"epoll_wait", kAllow},
      {"epoll_pwait", kAllow},
      {"eventfd2", kAllow},
      {"prlimit64", kAllow, {IntIs(0, 0), IntIs(1, RLIMIT_NOFILE)}},
      {"prlimit64", kAllow, {IntIs(0, 0), IntIs(1, RLIMIT_DATA)}},
      {"prlimit64", kAllow, {IntIs(0, 0), IntIs(1, RLIMIT_CORE)}},
      {"prctl", kAllow, {IntIs(0, PR_SET_PDEATHSIG), WordIs(1, SIGKILL)}},
      {"prctl", kAllow, {IntIs(0, PR_SET_NO_NEW_PRIVS)}},
      {"prctl", kAllow, {IntIs(0, PR_SET_DUMPABLE), WordIs(1, 0)}},
      {"prctl", kAllow, {IntIs(0, PR_CAP_AMBIENT), WordIs(1, PR_CAP_AMBIENT_CLEAR_ALL)}},
      {"capget", kAllow},
      {"capset", kAllow},
      {"landlock_restrict_self", kAllow},
      {"seccomp", kAllow},
  };
}

// What AddressSanitizer's runtime needs. Only a build with it has these rules.
std::vector<Rule> SanitizerRules() {
#if defined(__SANITIZE_ADDRESS__)
  return {{"sigaltstack", kAllow}, {"pipe2", kAllow}, {"sched_yield", kAllow}};
#else
  return {};
#endif
}

Profile KeeperProfile() {
  Profile profile;
  profile.name = "keeper";
  for (const std::vector<Rule>& part : {KeeperRules(), StartingResolverRules(), SanitizerRules()}) {
    profile.rules.insert(profile.rules.end(), part.begin(), part.end());
  }
  return profile;
}

confine::LandlockSpec PlacesOf(const ResolverOptions& options) {
  confine::LandlockSpec places;
  for (const std::string& folder : ResolverFolders(options)) {
    places.files.push_back(confine::Read(folder));
  }
  places.files.push_back(confine::Read("/proc"));
  // c-ares seeds the numbers of its queries where it finds no better source.
  places.files.push_back(confine::Read("/dev/urandom"));
  places.files.push_back(confine::ReadWrite("/dev/null"));
  return places;
}

}  // namespace

std::vector<std::string> ResolverFolders(const ResolverOptions& options) {
  std::vector<std::string> folders;
  for (const std::string& file : {options.resolv_conf, options.hosts_file}) {
    if (file.empty()) continue;
    const std::vector<std::string> around = confine::FoldersAround(file);
    folders.insert(folders.end(), around.begin(), around.end());
  }
  return folders;
}

absl::StatusOr<confine::ProcessCage> BuildKeeperCage(confine::CageLevel level,
                                                     const ResolverOptions& options) {
  return confine::ProcessCage::Build(level, KeeperProfile(), PlacesOf(options));
}

}  // namespace sockgate
