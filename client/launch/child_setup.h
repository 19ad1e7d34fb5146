// SetUpChild, LockChild: what a new child does to itself between fork and its own work.
//
// Process: the forked child.
// Ownership: the plan and all that it points to came with fork.
// Threads: async-signal-safe, allocates nothing, so the launcher may have threads.
// Hostile inputs: none.
// Failure: a step that fails is reported through the plan's `report_fd` and ends the child; there
// is no going on half confined.
//
// Manual pages: signal-safety(7), PR_SET_PDEATHSIG(2const), setrlimit(2), close_range(2).

#ifndef SOCKGATE_CLIENT_LAUNCH_CHILD_SETUP_H_
#define SOCKGATE_CLIENT_LAUNCH_CHILD_SETUP_H_

#include <cstdint>

#include "absl/status/status.h"
#include "client/launch/child_plan.h"

namespace sockgate::launch {

// The exit code of a child that could not be set up; its launcher gets the reason by the report.
inline constexpr int kSetupFailedCode = 127;

// The step that failed, in the order of execution.
enum class SetupStep : int32_t {
  kDieWithLauncher = 1,
  kDescriptors,
  kLimits,
  kNoNewPrivileges,
  kFilter,
  kExec,
};

// What travels through the report pipe: at most once, whole (it is shorter than PIPE_BUF). A pipe
// that ends without it means that the child went on to its own work or died trying.
struct SetupFailure {
  SetupStep step;
  int32_t error;
};
absl::Status ToStatus(const SetupFailure& failure);

// Signals to their defaults, death with the launcher, descriptors, limits, no_new_privs, in that
// order. Enter with all signals blocked; leaves them unblocked.
void SetUpChild(const ChildPlan& plan) noexcept;

// The filter. Nothing that was not allowed can be done after it.
void LockChild(const ChildPlan& plan) noexcept;

// Reports and ends the child.
[[noreturn]] void FailChild(const ChildPlan& plan, SetupStep step, int error) noexcept;

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_CHILD_SETUP_H_
