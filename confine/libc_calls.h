// What glibc passes to the kernel where it leaves a caller no choice, for filters that allow exactly
// that.
//
// Process: whoever writes a profile. Seen in glibc 2.36, and checked by tests that start threads
// and fork under each filter.

#ifndef SOCKGATE_CONFINE_LIBC_CALLS_H_
#define SOCKGATE_CONFINE_LIBC_CALLS_H_

#include <sched.h>
#include <signal.h>

#include <cstdint>

namespace sockgate::confine {

// clone(2) by pthread_create(3): a new thread of this process, in the same namespaces.
inline constexpr uint64_t kThreadFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                         CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                                         CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
static_assert(kThreadFlags == 0x3d0f00, "what was seen");

// clone(2) by fork(3).
inline constexpr uint64_t kForkFlags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;

// rt_sigaction(2) for a signal that glibc takes for itself when it makes the first thread. Its
// number has no public name.
inline constexpr int kSigSetXid = 33;

}  // namespace sockgate::confine

#endif  // SOCKGATE_CONFINE_LIBC_CALLS_H_
