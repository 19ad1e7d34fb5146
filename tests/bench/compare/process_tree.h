// What a process and all that it has started have used.
//
// Process: any that may read their /proc entries. Each figure is a snapshot; processes that come or
// go meanwhile are in it or not. Who has gone counts for nothing, but for its processor time, once
// its parent has waited for it. Children of threads but the first are not seen.
//
// Sources: proc(5), clock_getcpuclockid(3).

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_PROCESS_TREE_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_PROCESS_TREE_H_

#include <sys/types.h>

#include <cstddef>
#include <vector>

namespace sockgate::bench {

// The process first.
std::vector<pid_t> ProcessTree(pid_t root);

double TreeCpuMicroseconds(pid_t root);

// Memory in which a page that several processes share is divided among them (PSS); resident memory
// where the kernel does not tell that.
size_t TreeMemoryBytes(pid_t root);

// The same of one process.
size_t ProcessMemoryBytes(pid_t pid);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_PROCESS_TREE_H_
