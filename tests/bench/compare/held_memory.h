// What open connections cost whoever helps: the helpers' memory without any, and with some and many
// on which nothing is said. After the rounds, so their heaps have been used.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_HELD_MEMORY_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_HELD_MEMORY_H_

#include <vector>

#include "tests/bench/compare/compare_figures.h"
#include "tests/bench/compare/contenders.h"

namespace sockgate::bench {

// Fills in the rows, one for each contender. `report->connections` says how many, 0 first. A way
// that does not get so far has fewer figures, and a remark.
void MeasureHeldMemory(const std::vector<Contender>& contenders, CompareReport* report);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_HELD_MEMORY_H_
