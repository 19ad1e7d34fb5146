// CloseAllDescriptorsBut: leaves a new process with the descriptors that it was meant to have.
//
// Process: the child, between fork and confinement. Threads: async-signal-safe, allocates nothing
// and opens nothing (so it needs no /proc); must be the only thread, for a number opened meanwhile
// is missed. Hostile inputs: none. Failure: returns 0 or an errno; on an error some may be left
// open and the child must not go on.
//
// Uses close_range(2) on each gap (Linux 5.9). Where that is missing or forbidden it closes one
// number at a time, to the hard limit of RLIMIT_NOFILE, but at least 65,536 and at most 1,048,576
// (the kernel's default fs.nr_open): a descriptor opened beyond that under a limit lowered since is
// not found.

#ifndef SOCKGATE_CLIENT_LAUNCH_DESCRIPTOR_SWEEP_H_
#define SOCKGATE_CLIENT_LAUNCH_DESCRIPTOR_SWEEP_H_

#include <vector>

namespace sockgate::launch {

// `keep` is sorted ascending, without doubles and without negative numbers.
[[nodiscard]] int CloseAllDescriptorsBut(const std::vector<int>& keep);

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_DESCRIPTOR_SWEEP_H_
