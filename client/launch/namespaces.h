// EnterNamespaces: gives a new child the namespaces of its plan.
//
// Process: the forked child, with one thread, before it gives up its privileges.
// Threads: async-signal-safe, allocates nothing.
// Hostile inputs: none.
// Failure: an errno when a namespace that is required cannot be had. One that is only wanted is
// left out, with all the others that are only wanted.
//
// With a pid namespace a process is left behind that does nothing but wait for the child and end as
// it ends: only what is forked after unshare(2) is in the namespace, and the launcher must have a
// child of its own to wait for. It holds no descriptor but those of the last lines of its life, and
// no capability.
//
// Manual pages: namespaces(7), user_namespaces(7), pid_namespaces(7), unshare(2),
// mount_setattr(2).

#ifndef SOCKGATE_CLIENT_LAUNCH_NAMESPACES_H_
#define SOCKGATE_CLIENT_LAUNCH_NAMESPACES_H_

#include "client/launch/child_plan.h"

namespace sockgate::launch {

// `*entered` gets those that the process is in, as CLONE_NEW* bits.
[[nodiscard]] int EnterNamespaces(const ChildPlan& plan, int* entered) noexcept;

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_NAMESPACES_H_
