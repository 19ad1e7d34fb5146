// AllocationCount: how often some threads have called operator new.
//
//   AllocationCount count;
//   CountAllocationsIn(&count);   // of this thread, from now on
//   ...
//   CountAllocationsIn(nullptr);
//
// A program that links this has its own operator new, so it does not go with a sanitizer's. Threads:
// any; several may count into one.

#ifndef SOCKGATE_TESTS_SUPPORT_ALLOCATION_COUNT_H_
#define SOCKGATE_TESTS_SUPPORT_ALLOCATION_COUNT_H_

#include <atomic>
#include <cstddef>

namespace sockgate::testing {

using AllocationCount = std::atomic<size_t>;

// Lent, for as long as the thread counts into it.
void CountAllocationsIn(AllocationCount* count);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_ALLOCATION_COUNT_H_
