#include "broker/broker_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <vector>

#include "broker/rotated_file.h"
#include "confine/libc_calls.h"

// Newer than some libc headers.
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

namespace sockgate {
namespace {

using confine::BitsClear;
using confine::Errno;
using confine::IntIs;
using confine::IntIsApartFrom;
using confine::kAllow;
using confine::kSigSetXid;
using confine::kThreadFlags;
using confine::Profile;
using confine::Rule;
using confine::WordIs;

constexpr uint64_t kTypeFlags = SOCK_CLOEXEC | SOCK_NONBLOCK;

// Whatever makes open(2) write.
constexpr uint64_t kWriting = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);

Rule Socket(int family, int type, int protocol) {
  return {"socket",
          kAllow,
          {IntIs(0, static_cast<uint64_t>(family)),
           IntIsApartFrom(1, kTypeFlags, static_cast<uint64_t>(type)),
           IntIs(2, static_cast<uint64_t>(protocol))}};
}

Rule Option(const char* call, int level, int name) {
  return {call,
          kAllow,
          {IntIs(1, static_cast<uint64_t>(level)), IntIs(2, static_cast<uint64_t>(name))}};
}

std::vector<Rule> SocketRules() {
  return {
      // No raw ones and no packets: CAP_NET_RAW may be held for marks.
      Socket(AF_INET, SOCK_STREAM, 0),
      Socket(AF_INET, SOCK_DGRAM, 0),
      Socket(AF_INET6, SOCK_STREAM, 0),
      Socket(AF_INET6, SOCK_DGRAM, 0),
      Socket(AF_UNIX, SOCK_STREAM, 0),
      Socket(AF_UNIX, SOCK_SEQPACKET, 0),
      Socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
      // syslog(3), of a module of nsswitch.conf that complains.
      {"socket",
       Errno(EACCES),
       {IntIs(0, AF_UNIX), IntIsApartFrom(1, kTypeFlags, SOCK_DGRAM), IntIs(2, 0)}},
      {"socketpair",
       kAllow,
       {IntIs(0, AF_UNIX), IntIsApartFrom(1, SOCK_CLOEXEC, SOCK_SEQPACKET), IntIs(2, 0)}},
      {"connect", kAllow},
      {"bind", kAllow},
      {"listen", kAllow},
      {"accept4", kAllow},
      {"shutdown", kAllow},
      {"getsockname", kAllow},
      {"getpeername", kAllow},
      // With the address of a netlink socket, which is shorter than any that leads out, or none.
      {"sendto", kAllow, {BitsClear(3, MSG_FASTOPEN), WordIs(4, 0)}},
      {"sendto", kAllow, {BitsClear(3, MSG_FASTOPEN), IntIs(5, sizeof(sockaddr_nl))}},
      {"sendmsg", kAllow},
      {"recvmsg", kAllow},
      {"recvfrom", kAllow},
  };
}

std::vector<Rule> SocketOptionRules() {
  return {
      // What roles set (socket_options.cc).
      Option("setsockopt", SOL_SOCKET, SO_BINDTODEVICE),
      Option("setsockopt", SOL_SOCKET, SO_MARK),
      Option("setsockopt", SOL_SOCKET, SO_KEEPALIVE),
      Option("setsockopt", IPPROTO_IP, IP_TOS),
      Option("setsockopt", IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
      Option("setsockopt", IPPROTO_IPV6, IPV6_TCLASS),
      Option("setsockopt", IPPROTO_TCP, TCP_NODELAY),
      Option("setsockopt", IPPROTO_TCP, TCP_KEEPIDLE),
      Option("setsockopt", IPPROTO_TCP, TCP_KEEPINTVL),
      Option("setsockopt", IPPROTO_TCP, TCP_KEEPCNT),
      Option("setsockopt", IPPROTO_TCP, TCP_USER_TIMEOUT),
      Option("setsockopt", IPPROTO_TCP, TCP_CONGESTION),
      // Channels, and the control socket.
      Option("setsockopt", SOL_SOCKET, SO_PASSRIGHTS),
      Option("setsockopt", SOL_SOCKET, SO_SNDBUF),
      Option("setsockopt", SOL_SOCKET, SO_SNDBUFFORCE),
      Option("setsockopt", SOL_SOCKET, SO_RCVTIMEO),
      Option("setsockopt", SOL_SOCKET, SO_SNDTIMEO),
      Option("getsockopt", SOL_SOCKET, SO_RCVTIMEO),
      Option("getsockopt", SOL_SOCKET, SO_SNDTIMEO),
      // Who a peer is, and how a handshake went.
      Option("getsockopt", SOL_SOCKET, SO_PEERCRED),
      Option("getsockopt", SOL_SOCKET, SO_PEERGROUPS),
      Option("getsockopt", SOL_SOCKET, SO_PEERPIDFD),
      Option("getsockopt", SOL_SOCKET, SO_TYPE),
      Option("getsockopt", SOL_SOCKET, SO_ERROR),
      Option("getsockopt", IPPROTO_TCP, TCP_INFO),
      {"pidfd_open", kAllow, {IntIs(1, 0)}},
  };
}

std::vector<Rule> DescriptorRules() {
  return {
      {"read", kAllow},
      {"readv", kAllow},
      {"pread64", kAllow},
      {"write", kAllow},
      {"writev", kAllow},
      {"lseek", kAllow},
      {"close", kAllow},
      {"poll", kAllow},
      {"ppoll", kAllow},
      {"epoll_wait", kAllow},
      {"epoll_pwait", kAllow},
      {"epoll_ctl", kAllow},
      {"epoll_create1", kAllow},
      {"eventfd2", kAllow},
      {"signalfd4", kAllow},
      {"timerfd_settime", kAllow},
      {"fcntl", kAllow, {IntIs(1, F_GETFD)}},
      {"fcntl", kAllow, {IntIs(1, F_SETFD)}},
      {"fcntl", kAllow, {IntIs(1, F_GETFL)}},
      {"fcntl", kAllow, {IntIs(1, F_DUPFD_CLOEXEC)}},
      // It takes O_APPEND from the audit log.
      {"fcntl", Errno(EPERM), {IntIs(1, F_SETFL)}},
  };
}

// What of a connection's data the peer has not acknowledged (measured.cc), or what a worker has not
// read (lingering_channels.cc); of all others it is said
// that they are not for this descriptor, which takes a rule for each bit that may differ.
std::vector<Rule> ControlRules() {
  std::vector<Rule> rules = {{"ioctl", kAllow, {IntIs(1, SIOCOUTQ)}}};
  for (unsigned i = 0; i < 32; ++i) {
    const uint64_t bit = uint64_t{1} << i;
    rules.push_back({"ioctl", Errno(ENOTTY), {{1, bit, ~uint64_t{SIOCOUTQ} & bit}}});
  }
  return rules;
}

// To look at, and, where the broker listens, to bind and to give away. Landlock says where.
std::vector<Rule> FileRules() {
  return {
      {"openat", kAllow, {BitsClear(2, kWriting)}},
      {"open", kAllow, {BitsClear(1, kWriting)}},
      {"openat2", kAllow},
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
      {"getdents64", kAllow},
      {"unlink", kAllow},
      {"unlinkat", kAllow, {IntIs(2, 0)}},
      {"fchmod", kAllow, {IntIs(1, S_IRUSR | S_IWUSR)}},
      {"fchownat", kAllow, {IntIs(4, AT_EMPTY_PATH)}},
  };
}

// Exactly so, or a file could be opened to be written anew.
std::vector<Rule> RotationRules(AuditRotation rotation) {
  if (rotation == AuditRotation::kNone) return {};
  return {
      {"openat", kAllow, {IntIs(2, RotatedFile::kOpenFlags), IntIs(3, RotatedFile::kOpenMode)}}};
}

std::vector<Rule> ModeRules(uid_t user) {
  if (user == 0) return {{"chmod", Errno(EPERM)}, {"fchmodat", Errno(EPERM)}};
  // No set-user-id bit.
  constexpr uint64_t kOthers = ~uint64_t{ACCESSPERMS} & 0xffffffff;
  return {{"chmod", kAllow, {BitsClear(1, kOthers)}},
          {"fchmodat", kAllow, {BitsClear(2, kOthers)}}};
}

std::vector<Rule> ProcessRules(pid_t self) {
  const auto me = static_cast<uint64_t>(self);
  return {
      {"clone", kAllow, {WordIs(0, kThreadFlags)}},
      {"clone3", Errno(ENOSYS)},  // its flags are behind a pointer
      {"set_robust_list", kAllow},
      {"rseq", kAllow},
      {"futex", kAllow},
      {"sched_yield", kAllow},
      {"sched_getaffinity", kAllow},
      {"prctl", kAllow, {IntIs(0, PR_SET_NAME)}},
      // To tell what is in force.
      {"prctl", kAllow, {IntIs(0, PR_GET_NO_NEW_PRIVS)}},
      {"prctl", kAllow, {IntIs(0, PR_GET_DUMPABLE)}},
      {"prctl", kAllow, {IntIs(0, PR_GET_SECCOMP)}},
      {"capget", kAllow},
      {"exit", kAllow},
      {"exit_group", kAllow},
      {"wait4", kAllow},  // the keeper
      {"kill", Errno(EPERM)},
      // A failed check of our own ends as it does elsewhere, and not by SIGSYS.
      {"tgkill", kAllow, {IntIs(0, me), IntIs(2, SIGABRT)}},
      {"getpid", kAllow},
      {"getppid", kAllow},
      {"gettid", kAllow},
      {"getuid", kAllow},
      {"geteuid", kAllow},
      {"getgid", kAllow},
      {"getegid", kAllow},
      {"getgroups", kAllow},
      {"prlimit64", kAllow, {IntIs(0, 0), WordIs(2, 0)}},
      {"uname", kAllow},
      {"sysinfo", Errno(EPERM)},
      {"memfd_create", Errno(EPERM)},
      {"timerfd_create", Errno(EPERM)},
      {"inotify_init1", Errno(EPERM)},

      {"rt_sigaction", kAllow, {IntIs(0, SIGTERM)}},
      {"rt_sigaction", kAllow, {IntIs(0, SIGINT)}},
      {"rt_sigaction", kAllow, {IntIs(0, SIGABRT)}},
      {"rt_sigaction", kAllow, {IntIs(0, SIGPIPE)}},
      {"rt_sigaction", kAllow, {IntIs(0, kSigSetXid)}},
      {"rt_sigprocmask", kAllow},
      {"rt_sigreturn", kAllow},
      {"restart_syscall", kAllow},

      {"clock_gettime", kAllow},
      {"clock_nanosleep", kAllow},
      {"gettimeofday", kAllow},
      {"time", kAllow},
      {"getrandom", kAllow},
  };
}

// A module of nsswitch.conf that is not loaded yet would be, executable; it is then not found.
std::vector<Rule> MemoryRules() {
  return {
      {"mmap", kAllow, {BitsClear(2, PROT_EXEC)}},
      {"mmap", Errno(EPERM), {{2, PROT_EXEC, PROT_EXEC}}},
      {"mprotect", kAllow, {BitsClear(2, PROT_EXEC)}},
      {"mprotect", Errno(EPERM), {{2, PROT_EXEC, PROT_EXEC}}},
      {"munmap", kAllow},
      {"mremap", kAllow},
      {"madvise", kAllow},
      {"brk", kAllow},
  };
}

// What AddressSanitizer's runtime needs. Only a build with it has these rules.
std::vector<Rule> SanitizerRules() {
#if defined(__SANITIZE_ADDRESS__)
  return {{"sigaltstack", kAllow}, {"pipe2", kAllow}};
#else
  return {};
#endif
}

}  // namespace

Profile BrokerProfile(pid_t self, uid_t user, AuditRotation rotation) {
  Profile profile;
  profile.name = "broker";
  for (const std::vector<Rule>& part :
       {SocketRules(), SocketOptionRules(), DescriptorRules(), ControlRules(), FileRules(),
        RotationRules(rotation), ModeRules(user), ProcessRules(self), MemoryRules(),
        SanitizerRules()}) {
    profile.rules.insert(profile.rules.end(), part.begin(), part.end());
  }
  return profile;
}

}  // namespace sockgate
