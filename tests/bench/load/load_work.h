// What one worker of a LoadCrowd does, in its own process.

#ifndef SOCKGATE_TESTS_BENCH_LOAD_LOAD_WORK_H_
#define SOCKGATE_TESTS_BENCH_LOAD_LOAD_WORK_H_

#include <atomic>
#include <cstdint>

#include "tests/bench/load/load_crowd.h"

namespace sockgate::bench {

// Takes its place, says so on `control`, and goes on until its parent ends it; returns only when
// something went wrong. A flood stops itself (SIGSTOP) as soon as it is ready.
void DoLoadWork(const CrowdPlan& plan, int control, std::atomic<uint64_t>* done);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_LOAD_LOAD_WORK_H_
