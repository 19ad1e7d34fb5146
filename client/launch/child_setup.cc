#include "client/launch/child_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "proto/fresh_child.h"

namespace sockgate::launch {
namespace {

const char* StepName(SetupStep step) {
  switch (step) {
    case SetupStep::kDieWithLauncher:
      return "binding its life to the launcher's";
    case SetupStep::kDescriptors:
      return "arranging descriptors";
    case SetupStep::kLimits:
      return "setting a resource limit";
    case SetupStep::kNoNewPrivileges:
      return "no_new_privs";
    case SetupStep::kFilter:
      return "loading the seccomp filter";
    case SetupStep::kExec:
      return "exec";
  }
  return "an unknown step";
}

// The launcher's handlers are not the worker's, and ignored signals would survive exec.
void DieWithLauncher(const ChildPlan& plan) noexcept {
  if (!plan.die_with_launcher) return;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) FailChild(plan, SetupStep::kDieWithLauncher, errno);
  // The launcher may have died before prctl: then no signal will come.
  if (getppid() != plan.launcher) _exit(kSetupFailedCode);
}

void ArrangeDescriptors(const ChildPlan& plan) noexcept {
  if (const int error = FillStandardStreams()) {
    FailChild(plan, SetupStep::kDescriptors, error);
  }
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

}  // namespace

absl::Status ToStatus(const SetupFailure& failure) {
  return absl::ErrnoToStatus(failure.error,
                             absl::StrCat("worker not started: ", StepName(failure.step)));
}

void SetUpChild(const ChildPlan& plan) noexcept {
  ResetSignals();
  DieWithLauncher(plan);
  ArrangeDescriptors(plan);
  LimitResources(plan);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    FailChild(plan, SetupStep::kNoNewPrivileges, errno);
  }
}

void LockChild(const ChildPlan& plan) noexcept {
  if (const int error = plan.filter->Install()) FailChild(plan, SetupStep::kFilter, error);
}

void FailChild(const ChildPlan& plan, SetupStep step, int error) noexcept {
  const SetupFailure failure{step, error};
  // Should the report not arrive, the exit code is what is left.
  if (write(plan.report_fd, &failure, sizeof(failure)) < 0) _exit(kSetupFailedCode);
  _exit(kSetupFailedCode);
}

}  // namespace sockgate::launch
