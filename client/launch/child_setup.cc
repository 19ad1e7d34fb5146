#include "client/launch/child_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "client/launch/implied_exec.h"
#include "client/launch/namespaces.h"
#include "confine/capabilities.h"
#include "proto/fresh_child.h"

namespace sockgate::launch {
namespace {

const char* StepName(SetupStep step) {
  switch (step) {
    case SetupStep::kDieWithLauncher:
      return "binding its life to the launcher's";
    case SetupStep::kDescriptors:
      return "arranging descriptors";
    case SetupStep::kNamespaces:
      return "making the namespaces that are required";
    case SetupStep::kLimits:
      return "setting a resource limit";
    case SetupStep::kIdentity:
      return "becoming another user";
    case SetupStep::kCapabilities:
      return "giving up capabilities";
    case SetupStep::kNoNewPrivileges:
      return "no_new_privs";
    case SetupStep::kDumpable:
      return "closing its memory to others";
    case SetupStep::kLandlock:
      return "Landlock, which is required (and reaches no thread that runs already)";
    case SetupStep::kFilter:
      return "loading the seccomp filter";
    case SetupStep::kExec:
      return "exec";
    case SetupStep::kInNamespaces:
    case SetupStep::kUnderLandlock:
      break;
  }
  return "an unknown step";
}

void Tell(const ChildPlan& plan, SetupStep step, int value) noexcept {
  const SetupReport report{step, value};
  // The launcher waits for it; if it has ended, so will this process.
  const ssize_t written = write(plan.report_fd, &report, sizeof(report));
  static_cast<void>(written);
}

void DieWithLauncher(const ChildPlan& plan) noexcept {
  if (!plan.die_with_launcher) return;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) FailChild(plan, SetupStep::kDieWithLauncher, errno);
  // The launcher may have died before prctl: then no signal will come.
  if (getppid() != plan.launcher) _exit(kSetupFailedCode);
}

int Nullify(int stream, Stream how) noexcept {
  if (how == Stream::kKeep) return 0;
  const int null = open("/dev/null", (stream == STDIN_FILENO ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
  if (null < 0 || dup2(null, stream) < 0) return errno;
  return close(null) == 0 ? 0 : errno;
}

void ArrangeStreams(const ChildPlan& plan) noexcept {
  int error = FillStandardStreams();
  if (error == 0) error = Nullify(STDIN_FILENO, plan.streams.in);
  if (error == 0) error = Nullify(STDOUT_FILENO, plan.streams.out);
  if (error == 0) error = Nullify(STDERR_FILENO, plan.streams.err);
  if (error != 0) FailChild(plan, SetupStep::kDescriptors, error);
}

void ArrangeDescriptors(const ChildPlan& plan) noexcept {
  if (plan.channel_target >= 0 && plan.channel_target != plan.channel_fd &&
      dup2(plan.channel_fd, plan.channel_target) < 0) {
    FailChild(plan, SetupStep::kDescriptors, errno);
  }
  if (const int error = CloseAllDescriptorsBut(plan.keep)) {
    FailChild(plan, SetupStep::kDescriptors, error);
  }
  for (const int fd : plan.survive) {
    if (fcntl(fd, F_SETFD, 0) != 0) FailChild(plan, SetupStep::kDescriptors, errno);
  }
}

void LimitResources(const ChildPlan& plan) noexcept {
  for (const ChildPlan::Limit& limit : plan.limits) {
    const rlimit both{limit.value, limit.value};
    if (setrlimit(limit.resource, &both) != 0) FailChild(plan, SetupStep::kLimits, errno);
  }
}

// The namespaces that it is in.
int IsolateChild(const ChildPlan& plan) noexcept {
  int entered = 0;
  if (const int error = EnterNamespaces(plan, &entered)) {
    FailChild(plan, SetupStep::kNamespaces, error);
  }
  Tell(plan, SetupStep::kInNamespaces, entered);
  return entered;
}

// A process that becomes another user's forgets that it was to die with its parent, whose signal
// then needs CAP_KILL.
void BecomeUser(const ChildPlan& plan, int namespaces) noexcept {
  if (plan.identity == nullptr || plan.identity->IsHeld()) return;
  const bool in_pid_namespace = (namespaces & CLONE_NEWPID) != 0;
  const bool follows = plan.die_with_launcher || in_pid_namespace;
  const bool may_be_killed =
      (confine::PermittedCapabilities() & confine::CapabilityBit(CAP_KILL)) != 0;
  const pid_t parent = getppid();
  if (const int error = plan.identity->Become()) FailChild(plan, SetupStep::kIdentity, error);
  if (!follows) return;
  if (!may_be_killed) FailChild(plan, SetupStep::kDieWithLauncher, EPERM);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) FailChild(plan, SetupStep::kDieWithLauncher, errno);
  if (getppid() != parent) _exit(kSetupFailedCode);
}

void GiveUpPrivileges(const ChildPlan& plan) noexcept {
  if (const int error = ForbidImpliedExec()) FailChild(plan, SetupStep::kNoNewPrivileges, error);
  if (const int error = confine::KeepOnlyCapabilities(0)) {
    FailChild(plan, SetupStep::kCapabilities, error);
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    FailChild(plan, SetupStep::kNoNewPrivileges, errno);
  }
}

}  // namespace

bool IsFailure(const SetupReport& report) { return report.step < SetupStep::kInNamespaces; }

absl::Status ToStatus(const SetupReport& failure) {
  return absl::ErrnoToStatus(failure.value,
                             absl::StrCat("worker not started: ", StepName(failure.step)));
}

// Default handlers first: the launcher's are not the worker's, and ignored signals would survive
// exec.
void SetUpChild(const ChildPlan& plan) noexcept {
  ResetSignals();
  DieWithLauncher(plan);
  ArrangeStreams(plan);
  ArrangeDescriptors(plan);
  const int namespaces = IsolateChild(plan);
  LimitResources(plan);
  BecomeUser(plan, namespaces);
  GiveUpPrivileges(plan);
}

void LockChild(const ChildPlan& plan, int threads) noexcept {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) FailChild(plan, SetupStep::kDumpable, errno);
  bool landlocked = false;
  if (const int error = plan.layers->PutOnLandlock(threads, &landlocked)) {
    FailChild(plan, SetupStep::kLandlock, error);
  }
  Tell(plan, SetupStep::kUnderLandlock, landlocked ? 1 : 0);
  if (plan.layers->landlock_descriptor() >= 0) close(plan.layers->landlock_descriptor());
  if (const int error = plan.layers->InstallFilter()) FailChild(plan, SetupStep::kFilter, error);
}

void FailChild(const ChildPlan& plan, SetupStep step, int error) noexcept {
  // Should the report not arrive, the exit code is what is left.
  Tell(plan, step, error);
  _exit(kSetupFailedCode);
}

}  // namespace sockgate::launch
