// SetUpChild, LockChild: what a new child does to itself between fork and its own work.
//
// Process: the forked child.
// Ownership: the plan and all that it points to came with fork.
// Threads: async-signal-safe, allocates nothing, so the launcher may have threads.
// Hostile inputs: none.
// Failure: a step that fails is reported through the plan's `report_fd` and ends the child; there
// is no going on half confined. What the child got of what was only wanted is reported there too.
//
// Manual pages: signal-safety(7), PR_SET_PDEATHSIG(2const), setrlimit(2), close_range(2),
// PR_SET_DUMPABLE(2const).

#ifndef SOCKGATE_CLIENT_LAUNCH_CHILD_SETUP_H_
#define SOCKGATE_CLIENT_LAUNCH_CHILD_SETUP_H_

#include <cstdint>

#include "absl/status/status.h"
#include "client/launch/child_plan.h"

namespace sockgate::launch {

// The exit code of a child that could not be set up; its launcher gets the reason by the report.
inline constexpr int kSetupFailedCode = 127;

// In the order of execution. The last two have not failed, but tell what is in force.
enum class SetupStep : int32_t {
  kDieWithLauncher = 1,
  kDescriptors,
  kNamespaces,
  kLimits,
  kIdentity,
  kCapabilities,
  kNoNewPrivileges,
  kDumpable,
  kLandlock,
  kFilter,
  kExec,
  kInNamespaces,   // value: CLONE_NEW* bits
  kUnderLandlock,  // value: 1 or 0
};

// What travels through the report pipe, whole (it is shorter than PIPE_BUF): any number of what is
// in force, and at most one failure, the last. A pipe that ends without that means that the child
// went on to its own work or died trying.
struct SetupReport {
  SetupStep step;
  int32_t value;  // of a failure: an errno
};
bool IsFailure(const SetupReport& report);
absl::Status ToStatus(const SetupReport& failure);

// Signals to their defaults, death with the launcher, descriptors, namespaces, limits, user,
// capabilities, no_new_privs, in that order. Enter with all signals blocked; leaves them unblocked.
void SetUpChild(const ChildPlan& plan) noexcept;

// Whose memory nobody may look into, Landlock, and the filter. Nothing that was not allowed can be
// done after it. `threads`: see Layers::PutOnLandlock.
void LockChild(const ChildPlan& plan, int threads) noexcept;

// Reports and ends the child.
[[noreturn]] void FailChild(const ChildPlan& plan, SetupStep step, int error) noexcept;

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_CHILD_SETUP_H_
