// Confine: the door for a process that confines itself: a program that was started by exec under
// ProgramProfile, or one that met its broker by a path.
//
//   launch::Confinement wanted;
//   wanted.files = {launch::ReadWrite("/var/cache/crawler")};
//   auto in_force = launch::Confine(wanted);
//   if (!in_force.ok()) exit(1);   // some layers may be in force, and are no use
//   log(in_force->ToString());
//
// Process: worker, before it reads the first hostile byte. After OK there is no way back.
// Threads: the only one, or else Landlock does not reach the others. Capabilities are of threads
// too: with one that holds any, Confine fails.
// Blocking: reads a few files of /proc.
// Hostile inputs: none.
// Failure: closed. What is required and cannot be had is an error; InForce tells what is in force
// after a success, as it was found and not as it was asked for.
//
// What only a launcher can give: namespaces, another user, fewer descriptors, resource limits:
// worker.h.
//
// Manual pages: seccomp(2), landlock(7), capabilities(7), PR_SET_NO_NEW_PRIVS(2const),
// PR_SET_DUMPABLE(2const).

#ifndef SOCKGATE_CLIENT_LAUNCH_CONFINE_H_
#define SOCKGATE_CLIENT_LAUNCH_CONFINE_H_

#include "absl/status/statusor.h"
#include "client/launch/confinement.h"    // IWYU pragma: export
#include "client/launch/connect_probe.h"  // IWYU pragma: export

namespace sockgate::launch {

absl::StatusOr<InForce> Confine(const Confinement& wanted);

// With this profile and what Confinement has by default.
absl::StatusOr<InForce> Confine(const Profile& profile);

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_CONFINE_H_
