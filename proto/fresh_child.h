// What a forked child does first, so that it keeps nothing of its launcher but what it was meant to
// have.
//
// Process: a child of the launcher, between fork and confinement: worker or broker.
// Threads: async-signal-safe, allocates nothing and opens nothing but /dev/null; must be the only
// thread, for a number opened meanwhile is missed.
// Hostile inputs: none.
// Failure: returns 0 or an errno; after an error the child must not go on.

#ifndef SOCKGATE_PROTO_FRESH_CHILD_H_
#define SOCKGATE_PROTO_FRESH_CHILD_H_

#include <sys/types.h>

#include <vector>

namespace sockgate {

// fork(2) with every signal blocked in the child, so that none of the launcher's handlers runs
// there before ResetSignals(). The launcher's mask is as before. -1 with errno when there is no
// child.
[[nodiscard]] pid_t ForkWithoutSignals();

// Default handlers, and nothing blocked: the launcher's handlers would run with the launcher's idea
// of the process. What is ignored of SIGINT and SIGHUP stays so: under nohup(1), or in a shell's
// background, a terminal ends neither the launcher nor its children.
void ResetSignals();

// Opens /dev/null for each of 0, 1 and 2 that is closed. A missing one would be filled by the next
// descriptor that is opened or received, and what is printed would go there.
[[nodiscard]] int FillStandardStreams();

// Closes every descriptor but `keep`, which is sorted ascending, without doubles and without
// negative numbers. Uses close_range(2) on each gap (Linux 5.9). Where that is missing or forbidden
// it closes one number at a time, to the hard limit of RLIMIT_NOFILE, but at least 65,536 and at
// most 1,048,576 (the kernel's default fs.nr_open): a descriptor opened beyond that under a limit
// lowered since is not found.
[[nodiscard]] int CloseAllDescriptorsBut(const std::vector<int>& keep);

}  // namespace sockgate

#endif  // SOCKGATE_PROTO_FRESH_CHILD_H_
