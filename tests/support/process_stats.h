// What the kernel tells about a process: open descriptors, resident memory, threads, children, and
// what it has done.
//
// Process: any that may read the other's /proc entries (the same user, or root). Threads: free of
// shared state. Each figure is a snapshot; compare before and after at moments when the process is
// at rest. Errors: NotFound when the process has gone, PermissionDenied when it may not be looked
// at.

#ifndef SOCKGATE_TESTS_SUPPORT_PROCESS_STATS_H_
#define SOCKGATE_TESTS_SUPPORT_PROCESS_STATS_H_

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sockgate::testing {

// The number of open descriptors. The one that this call opens for itself is not counted.
absl::StatusOr<size_t> OpenFdCount(pid_t pid);

// Resident memory in bytes, exact to the page (smaps_rollup; the figure in statm lags behind by up
// to a few hundred KiB, and is used only where the kernel lacks the former).
absl::StatusOr<size_t> ResidentBytes(pid_t pid);

// The number of threads. ThreadSanitizer's own background thread counts.
absl::StatusOr<size_t> ThreadCount(pid_t pid);

// The processor time that all its threads have used.
absl::StatusOr<std::chrono::microseconds> CpuTime(pid_t pid);

// How often its threads that still live have gone to sleep of their own accord, and so how often
// something woke them.
absl::StatusOr<uint64_t> WakeUps(pid_t pid);

// The children that the process's first thread made and has not reaped; none for one that has gone.
std::vector<pid_t> ChildrenOf(pid_t pid);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_PROCESS_STATS_H_
