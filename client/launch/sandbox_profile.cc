#include "client/launch/sandbox_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <initializer_list>

#include "confine/libc_calls.h"

namespace sockgate::launch {
namespace {

using confine::kSigSetXid;
using confine::kThreadFlags;

// What both profiles let through, and how both close the network.
std::vector<Rule> TransferRules() {
  return {
      // Descriptors that the worker already holds. libstdc++'s file streams write with writev.
      {"read", kAllow},
      {"write", kAllow},
      {"writev", kAllow},
      {"lseek", kAllow},
      {"close", kAllow},
      {"poll", kAllow},
      {"eventfd2", kAllow},
      {"fcntl", kAllow, {IntIs(1, F_GETFD)}},
      {"fcntl", kAllow, {IntIs(1, F_SETFD)}},
      {"fcntl", kAllow, {IntIs(1, F_GETFL)}},
      {"fcntl", kAllow, {IntIs(1, F_SETFL)}},
      {"ioctl", Errno(ENOTTY)},

      // Sockets: what was given may be used, nothing new may be made and nothing pointed elsewhere.
      {"socket", Errno(EACCES)},
      {"connect", Errno(EINPROGRESS)},
      // What libcurl does for CURLOPT_INTERFACE and CURLOPT_LOCALPORT, and reports the end of.
      {"bind", Errno(EINVAL)},
      {"socketpair",
       kAllow,
       {IntIs(0, AF_UNIX), IntIsApartFrom(1, SOCK_CLOEXEC | SOCK_NONBLOCK, SOCK_STREAM),
        IntIs(2, 0)}},
      // An address re-aims a datagram socket, MSG_FASTOPEN a stream socket that is not connected.
      {"sendto", kAllow, {BitsClear(3, MSG_FASTOPEN), WordIs(4, 0)}},
      {"recvfrom", kAllow},
      {"recvmsg", kAllow},
      {"shutdown", kAllow},
      {"getsockname", kAllow},
      {"getpeername", kAllow},
      // By name: SO_PEERPIDFD would make a descriptor, TCP_ZEROCOPY_RECEIVE maps memory.
      {"getsockopt", kAllow, {IntIs(1, SOL_SOCKET), IntIs(2, SO_ERROR)}},
      {"getsockopt", kAllow, {IntIs(1, SOL_SOCKET), IntIs(2, SO_TYPE)}},
      {"getsockopt", kAllow, {IntIs(1, SOL_SOCKET), IntIs(2, SO_RCVTIMEO)}},
      {"getsockopt", kAllow, {IntIs(1, SOL_SOCKET), IntIs(2, SO_SNDTIMEO)}},
      {"getsockopt", kAllow, {IntIs(1, IPPROTO_TCP), IntIs(2, TCP_INFO)}},
      {"setsockopt", kAllow, {IntIs(1, SOL_SOCKET), IntIs(2, SO_KEEPALIVE)}},
      {"setsockopt", kAllow, {IntIs(1, IPPROTO_TCP), IntIs(2, TCP_NODELAY)}},
      {"setsockopt", kAllow, {IntIs(1, IPPROTO_TCP), IntIs(2, TCP_KEEPIDLE)}},
      {"setsockopt", kAllow, {IntIs(1, IPPROTO_TCP), IntIs(2, TCP_KEEPINTVL)}},
      {"setsockopt", kAllow, {IntIs(1, IPPROTO_TCP), IntIs(2, TCP_KEEPCNT)}},

      // Memory.
      {"munmap", kAllow},
      {"mremap", kAllow},
      {"madvise", kAllow},
      {"brk", kAllow},

      // Threads. clone3 hides its flags behind a pointer; ENOSYS makes glibc fall back to clone.
      {"clone", kAllow, {WordIs(0, kThreadFlags)}},
      {"clone3", Errno(ENOSYS)},
      {"futex", kAllow},
      {"rseq", kAllow},
      {"set_robust_list", kAllow},
      {"sched_yield", kAllow},
      {"sched_getaffinity", kAllow},
      {"prctl", kAllow, {IntIs(0, PR_SET_NAME)}},
      {"getpid", kAllow},
      {"gettid", kAllow},
      // They cannot fail, so nobody is prepared for that: Kerberos, where a server asks for it.
      {"getuid", kAllow},
      {"geteuid", kAllow},
      {"exit", kAllow},
      {"exit_group", kAllow},

      // Signals, time, randomness. Where the clock cannot be read without the kernel, all three are
      // system calls.
      {"rt_sigprocmask", kAllow},
      {"rt_sigreturn", kAllow},
      {"restart_syscall", kAllow},
      {"clock_gettime", kAllow},
      {"gettimeofday", kAllow},
      {"time", kAllow},
      {"clock_nanosleep", kAllow},
      {"getrandom", kAllow},
  };
}

// AddressSanitizer's runtime looks for the signal stack at each call that does not return, probes
// memory through a pipe, and turns core dumps off at start. Only a build with it has these rules.
#if defined(__SANITIZE_ADDRESS__)
std::vector<Rule> SanitizedFetcherRules() { return {{"sigaltstack", kAllow}, {"pipe2", kAllow}}; }
std::vector<Rule> SanitizedProgramRules() {
  return {{"prlimit64", kAllow, {IntIs(0, 0), IntIs(1, RLIMIT_CORE)}}};
}
#else
std::vector<Rule> SanitizedFetcherRules() { return {}; }
std::vector<Rule> SanitizedProgramRules() { return {}; }
#endif

std::vector<Rule> FetcherOnlyRules() {
  return {
      {"mmap", kAllow, {BitsClear(2, PROT_EXEC)}},
      {"mprotect", kAllow, {BitsClear(2, PROT_EXEC)}},
      {"rt_sigaction", kAllow, {IntIs(0, SIGPIPE)}},
      {"rt_sigaction", kAllow, {IntIs(0, kSigSetXid)}},
      // Before bind(2).
      {"setsockopt", Errno(EPERM), {IntIs(1, SOL_SOCKET), IntIs(2, SO_BINDTODEVICE)}},
      {"setsockopt", Errno(EPERM), {IntIs(1, IPPROTO_IP), IntIs(2, IP_BIND_ADDRESS_NO_PORT)}},
      // Libraries look for optional files and go on without them, and so they do without the size of
      // memory (qsort) and the name of the machine (EHLO, NTLM).
      {"openat", Errno(EACCES)},
      {"newfstatat", Errno(EACCES)},
      {"statx", Errno(EACCES)},
      {"stat", Errno(EACCES)},
      {"lstat", Errno(EACCES)},
      {"access", Errno(EACCES)},
      {"faccessat", Errno(EACCES)},
      {"faccessat2", Errno(EACCES)},
      {"readlink", Errno(EACCES)},
      {"readlinkat", Errno(EACCES)},
      {"sysinfo", Errno(EPERM)},
      {"uname", Errno(EPERM)},
  };
}

std::vector<Rule> ProgramOnlyRules() {
  return {
      // The loader, and the C library's start.
      {"execve", kAllow},
      {"mmap", kAllow},
      {"mprotect", kAllow},
      {"arch_prctl", kAllow},
      {"set_tid_address", kAllow},
      {"rt_sigaction", kAllow},
      {"sigaltstack", kAllow},
      {"prlimit64", kAllow, {IntIs(0, 0), WordIs(2, 0)}},

      // Files: to read.
      {"openat", kAllow, {BitsClear(2, static_cast<uint64_t>(O_ACCMODE) | O_CREAT | O_TRUNC)}},
      {"pread64", kAllow},
      {"readv", kAllow},
      {"fadvise64", kAllow},
      {"getdents64", kAllow},
      {"newfstatat", kAllow},
      {"fstat", kAllow},
      {"stat", kAllow},
      {"lstat", kAllow},
      {"statx", kAllow},
      {"statfs", kAllow},
      {"fstatfs", kAllow},
      {"access", kAllow},
      {"faccessat", kAllow},
      {"faccessat2", kAllow},
      {"readlink", kAllow},
      {"readlinkat", kAllow},
      {"getcwd", kAllow},

      // Descriptors: to arrange.
      {"dup", kAllow},
      {"dup2", kAllow},
      {"dup3", kAllow},
      {"pipe2", kAllow},
      {"fcntl", kAllow, {IntIs(1, F_DUPFD)}},
      {"fcntl", kAllow, {IntIs(1, F_DUPFD_CLOEXEC)}},

      // What start-up code asks about the system and itself.
      {"uname", kAllow},
      {"sysinfo", kAllow},
      {"getppid", kAllow},
      {"getgid", kAllow},
      {"getegid", kAllow},
      {"getrusage", kAllow},
      {"clock_getres", kAllow},

      // Tightening: a filter upon this one (exported through a memfd), Landlock, no capabilities, no
      // look into its memory, fewer descriptors.
      // PR_SET_PDEATHSIG is left out: the worker shall not outlive its launcher by its own choice.
      {"seccomp", kAllow},
      {"memfd_create", kAllow},
      {"close_range", kAllow},
      {"landlock_create_ruleset", kAllow},
      {"landlock_add_rule", kAllow},
      {"landlock_restrict_self", kAllow},
      {"capget", kAllow},
      {"capset", kAllow},
      {"prctl", kAllow, {IntIs(0, PR_SET_NO_NEW_PRIVS)}},
      {"prctl", kAllow, {IntIs(0, PR_GET_NO_NEW_PRIVS)}},
      {"prctl", kAllow, {IntIs(0, PR_SET_SECCOMP)}},
      {"prctl", kAllow, {IntIs(0, PR_GET_SECCOMP)}},
      {"prctl", kAllow, {IntIs(0, PR_GET_DUMPABLE)}},
      {"prctl", kAllow, {IntIs(0, PR_SET_DUMPABLE), IntIs(1, 0)}},
      {"prctl", kAllow, {IntIs(0, PR_CAPBSET_READ)}},
      {"prctl", kAllow, {IntIs(0, PR_CAPBSET_DROP)}},
      {"prctl", kAllow, {IntIs(0, PR_CAP_AMBIENT), IntIs(1, PR_CAP_AMBIENT_CLEAR_ALL)}},
  };
}

Profile Compose(const char* name, Action fallback, std::initializer_list<std::vector<Rule>> parts) {
  Profile profile{name, fallback, {}};
  for (const std::vector<Rule>& part : parts) {
    profile.rules.insert(profile.rules.end(), part.begin(), part.end());
  }
  return profile;
}

}  // namespace

Profile FetcherProfile() {
  return Compose("fetcher", kKillProcess,
                 {TransferRules(), FetcherOnlyRules(), SanitizedFetcherRules()});
}

Profile FetcherLogProfile() {
  Profile profile = FetcherProfile();
  profile.name = "fetcher-log";
  profile.fallback = kLog;
  return profile;
}

Profile ProgramProfile() {
  return Compose("program", Errno(EPERM),
                 {TransferRules(), ProgramOnlyRules(), SanitizedProgramRules()});
}

}  // namespace sockgate::launch
