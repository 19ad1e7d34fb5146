#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <cstdint>
#include <thread>

#include "tests/escape/acts.h"
#include "tests/escape/victim.h"

namespace sockgate::escape {
namespace {

using launch::ErrnoOf;
using launch::Exited;

constexpr size_t kPage = 4096;

// What some calls want to see, and may see empty.
const uint64_t kNoSignals = 0;
const itimerval kNoTimer = {};

// In the new process: ends it. In the old one: how that went.
int EndTheChild(int64_t result) {
  if (result == 0) _exit(0);
  if (result < 0) return errno;
  waitpid(static_cast<pid_t>(result), nullptr, 0);
  return 0;
}

Act CloneAct(const char* name, uint64_t flags) {
  return {name, Killed(), [=]() -> Attempt {
            return [=] { return EndTheChild(syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0)); };
          }};
}

Attempt Clone3() {
  return [] {
    clone_args arguments{};
    arguments.exit_signal = SIGCHLD;
    return EndTheChild(syscall(SYS_clone3, &arguments, sizeof(arguments)));
  };
}

// A thread has no more rights than its process.
Attempt OpenSocketInAThread() {
  return [] {
    int error = 0;
    std::thread([&] { error = ErrnoOf(socket(AF_INET, SOCK_STREAM, 0)); }).join();
    return error;
  };
}

// glibc's fork, as a program would call it.
Attempt Fork() {
  return [] { return EndTheChild(fork()); };
}

Attempt Execute(int64_t number) {
  return [number] {
    const char* const argv[] = {"/bin/true", nullptr};
    return number == SYS_execveat ? ErrnoOf(syscall(number, AT_FDCWD, argv[0], argv, nullptr, 0))
                                  : ErrnoOf(syscall(number, argv[0], argv, nullptr));
  };
}

Attempt Trace() {
  const pid_t victim = Victim();
  return [=] { return ErrnoOf(ptrace(PTRACE_SEIZE, victim, nullptr, nullptr)); };
}

Attempt TouchMemory(int64_t number) {
  const pid_t victim = Victim();
  return [=] {
    static char here[8] = "changed";
    static char there[8];
    const iovec local{here, sizeof(here)};
    const iovec remote{there, sizeof(there)};
    return ErrnoOf(syscall(number, victim, &local, 1, &remote, 1, 0));
  };
}

Attempt TakeDescriptor() {
  const int victim = Must(syscall(SYS_pidfd_open, Victim(), 0));
  return [=] { return ErrnoOf(syscall(SYS_pidfd_getfd, victim, STDERR_FILENO, 0)); };
}

Attempt Signal(int signal) {
  const pid_t victim = Victim();
  return [=] { return ErrnoOf(kill(victim, signal)); };
}

Attempt MakeExecutable(int64_t number) {
  void* page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) Must(-1);
  return [=] { return ErrnoOf(syscall(number, page, kPage, PROT_READ | PROT_EXEC, -1)); };
}

Attempt MapExecutable(int more) {
  return [=] {
    const int protection = PROT_READ | PROT_EXEC | more;
    return ErrnoOf(
        syscall(SYS_mmap, nullptr, kPage, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  };
}

Attempt JoinNamespace() {
  const int space = Must(open("/proc/self/ns/uts", O_RDONLY));
  return [=] { return ErrnoOf(setns(space, 0)); };
}

Attempt ChangeLimit() {
  return [] {
    rlimit limit{};
    getrlimit(RLIMIT_CORE, &limit);
    return ErrnoOf(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &limit, nullptr));
  };
}

}  // namespace

std::vector<Act> ProcessActs() {
  return {
      {"OpenSocketInAThread", Exited(EACCES), OpenSocketInAThread},
      {"Fork", Killed(), Fork},
      CloneAct("CloneAProcess", 0),
      Privileged(CloneAct("CloneIntoUserNamespace", CLONE_NEWUSER)),
      Privileged(CloneAct("CloneIntoNetworkNamespace", CLONE_NEWNET)),
      Privileged(CloneAct("CloneIntoMountNamespace", CLONE_NEWNS)),
      Privileged(CloneAct("CloneIntoPidNamespace", CLONE_NEWPID)),
      Privileged(CloneAct("CloneIntoIpcNamespace", CLONE_NEWIPC)),
      Privileged(CloneAct("CloneIntoUtsNamespace", CLONE_NEWUTS)),
      Privileged(CloneAct("CloneIntoCgroupNamespace", CLONE_NEWCGROUP)),
      // Flags beyond 32 bits, which the kernel drops: the filter does not.
      CloneAct("CloneAThreadThatIsNone", uint64_t{1} << 33),
      CloneAct("CloneSharingFiles", CLONE_FILES | CLONE_FS),
      {"Clone3", Exited(ENOSYS), Clone3},
      {"Execve", Killed(), [] { return Execute(SYS_execve); }},
      {"Execveat", Killed(), [] { return Execute(SYS_execveat); }},
      Call("BeTraced", kKilled, SYS_ptrace, PTRACE_TRACEME, 0, 0, 0),
      Privileged({"Trace", Killed(), Trace}),
      Privileged({"WriteMemory", Killed(), [] { return TouchMemory(SYS_process_vm_writev); }}),
      Privileged({"ReadMemory", Killed(), [] { return TouchMemory(SYS_process_vm_readv); }}),
      Privileged({"TakeDescriptor", Killed(), TakeDescriptor}),
      Call("PidfdOpen", kKilled, SYS_pidfd_open, getpid(), 0),
      {"Probe", Killed(), [] { return Signal(0); }},
      {"Kill", Killed(), [] { return Signal(SIGKILL); }},
      Privileged(Call("UnshareUsers", kKilled, SYS_unshare, CLONE_NEWUSER)),
      Privileged(Call("UnshareNetwork", kKilled, SYS_unshare, CLONE_NEWNET)),
      Call("UnshareFiles", kKilled, SYS_unshare, CLONE_FILES),
      Privileged({"JoinNamespace", Killed(), JoinNamespace}),
      {"MakeExecutable", Killed(), [] { return MakeExecutable(SYS_mprotect); }},
      {"MakeExecutableByKey", Killed(), [] { return MakeExecutable(SYS_pkey_mprotect); }},
      {"MapExecutable", Killed(), [] { return MapExecutable(0); }},
      {"MapWritableAndExecutable", Killed(), [] { return MapExecutable(PROT_WRITE); }},
      Call("ReadImpliesExec", kKilled, SYS_personality, READ_IMPLIES_EXEC),
      Call("OutliveTheLauncher", kKilled, SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0),
      Privileged(
          Call("LetAnyoneTrace", kKilled, SYS_prctl, PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)),
      Call("KeepCapabilities", kKilled, SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0),
      Call("BecomeDumpable", kKilled, SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0),
      Call("TakeSigsys", kKilled, SYS_rt_sigaction, SIGSYS, 0, 0, 8),
      Call("TakeSignals", kKilled, SYS_signalfd4, -1, &kNoSignals, 8, 0),
      Call("SignalAThread", kKilled, SYS_tgkill, getpid(), getpid(), 0),
      Call("QuerySessions", kKilled, SYS_getsid, 0),
      Call("ChangePriority", kKilled, SYS_setpriority, PRIO_PROCESS, 0, 19),
      Call("SetTimer", kKilled, SYS_setitimer, ITIMER_VIRTUAL, &kNoTimer, 0),
      Call("BecomeUndumpable", kKilled, SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0),
      {"ChangeLimit", Killed(), ChangeLimit},
      Call("ChangeUser", kKilled, SYS_setuid, getuid()),
  };
}

}  // namespace sockgate::escape
