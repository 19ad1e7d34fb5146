#include "client/launch/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/capabilities.h"

namespace sockgate::launch {
namespace {

int WriteWhole(const char* path, const char* text, size_t size) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const ssize_t written = write(fd, text, size);
  const int error = written == static_cast<ssize_t>(size) ? 0 : errno;
  close(fd);
  return error;
}

// One id may be mapped without privilege, where the groups can no longer be changed
// (user_namespaces(7)).
int MapIds(const ChildPlan& plan) {
  constexpr char kDeny[] = "deny";
  if (const int error = WriteWhole("/proc/self/setgroups", kDeny, sizeof(kDeny) - 1)) return error;
  if (const int error = WriteWhole("/proc/self/uid_map", plan.user_map.text, plan.user_map.size)) {
    return error;
  }
  return WriteWhole("/proc/self/gid_map", plan.group_map.text, plan.group_map.size);
}

bool MayUnshare() {
  return (confine::EffectiveCapabilities() & confine::CapabilityBit(CAP_SYS_ADMIN)) != 0;
}

int Unshare(const ChildPlan& plan, int flags, int* entered) {
  if (!MayUnshare()) {
    // It would know one user only.
    if (plan.identity != nullptr) return EPERM;
    flags |= CLONE_NEWUSER;
  }
  if (unshare(flags) != 0) return errno;
  *entered = flags;
  return (flags & CLONE_NEWUSER) != 0 ? MapIds(plan) : 0;
}

int SetMount(const char* path, unsigned how, uint64_t set, uint64_t clear) {
  mount_attr attributes = {};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  return mount_setattr(AT_FDCWD, path, how, &attributes, sizeof(attributes)) == 0 ? 0 : errno;
}

// First the folders become mounts of their own, then everything becomes read-only, then they are
// made writable again.
int MakeReadOnly(const ChildPlan& plan) {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  for (const std::string& folder : plan.writable) {
    if (mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
      return errno;
    }
  }
  constexpr uint64_t kHarmless = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  if (const int error = SetMount("/", AT_RECURSIVE, kHarmless, 0)) return error;
  for (const std::string& folder : plan.writable) {
    if (const int error = SetMount(folder.c_str(), 0, 0, MOUNT_ATTR_RDONLY)) return error;
    // Who stands in the folder stands beneath the mount.
    if (plan.working_folder == folder && chdir(folder.c_str()) != 0) return errno;
  }
  return 0;
}

// It has a copy of the launcher's memory, and ends as a worker makes it. CAP_KILL it keeps where it
// has it: the signal that its death sends is subject to its own rights, and the child may become
// another user.
int Harmless() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return errno;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return errno;
  }
  return confine::KeepOnlyCapabilities(confine::PermittedCapabilities() &
                                       confine::CapabilityBit(CAP_KILL));
}

// The life of the process that is left behind.
[[noreturn]] void EndAs(pid_t child) {
  if (Harmless() != 0) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFSIGNALED(status)) _exit(WEXITSTATUS(status));
  signal(WTERMSIG(status), SIG_DFL);
  kill(getpid(), WTERMSIG(status));
  _exit(128 + WTERMSIG(status));
}

// The kernel sends no signal for a parent that died before it was asked to: the pipe tells.
void DieWithParent(int lifeline) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pollfd parent = {lifeline, 0, 0};
  if (poll(&parent, 1, 0) != 0) _exit(EXIT_FAILURE);
  close(lifeline);
}

int ForkIntoPidNamespace() {
  int lifeline[2];
  if (pipe2(lifeline, O_CLOEXEC) != 0) return errno;
  const pid_t child = _Fork();
  if (child < 0) return errno;
  if (child > 0) {
    // Or a channel, and the pipe for the launcher, would stay open as long as this process.
    if (dup2(lifeline[1], 0) < 0 || syscall(SYS_close_range, 1U, UINT_MAX, 0U) != 0) {
      kill(child, SIGKILL);
    }
    EndAs(child);
  }
  close(lifeline[1]);
  DieWithParent(lifeline[0]);
  return 0;
}

// Whether a process of this plan may have all these namespaces: a child tries, since what fails
// halfway cannot be undone.
bool AreThereFor(const ChildPlan& plan, int flags) {
  const pid_t probe = _Fork();
  if (probe < 0) return false;
  if (probe == 0) {
    int entered = 0;
    const bool all = Unshare(plan, flags, &entered) == 0 &&
                     ((flags & CLONE_NEWNS) == 0 || MakeReadOnly(plan) == 0);
    _exit(all ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  int status = 0;
  while (waitpid(probe, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

}  // namespace

int EnterNamespaces(const ChildPlan& plan, int* entered) noexcept {
  *entered = 0;
  int flags = plan.required_namespaces | plan.wanted_namespaces;
  if (plan.wanted_namespaces != 0 && !AreThereFor(plan, flags)) flags = plan.required_namespaces;
  if (flags == 0) return 0;
  int error = Unshare(plan, flags, entered);
  if (error == 0 && (flags & CLONE_NEWNS) != 0) error = MakeReadOnly(plan);
  if (error == 0 && (flags & CLONE_NEWPID) != 0) error = ForkIntoPidNamespace();
  return error;
}

}  // namespace sockgate::launch
