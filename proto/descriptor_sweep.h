// CloseAllDescriptorsBut: leaves a new process with the descriptors that it was meant to have.
//
// Process: a child of the launcher, between fork and confinement: worker or broker.
// Threads: async-signal-safe, allocates nothing and opens nothing (so it needs no /proc). It must
// be the only thread, for a number opened meanwhile is missed.
// Hostile inputs: none.
// Failure: returns 0 or an errno; on an error some may be open still and the child must not go on.
//
// Uses close_range(2) on each gap (Linux 5.9). Where that is missing or forbidden it closes one
// number at a time, to the hard limit of RLIMIT_NOFILE, but at least 65,536 and at most 1,048,576
// (the kernel's default fs.nr_open): a descriptor opened beyond that under a limit lowered since
// is not found.

#ifndef SOCKGATE_PROTO_DESCRIPTOR_SWEEP_H_
#define SOCKGATE_PROTO_DESCRIPTOR_SWEEP_H_

#include <vector>

namespace sockgate {

// `keep` is sorted ascending, without doubles and without negative numbers.
[[nodiscard]] int CloseAllDescriptorsBut(const std::vector<int>& keep);

}  // namespace sockgate

#endif  // SOCKGATE_PROTO_DESCRIPTOR_SWEEP_H_
