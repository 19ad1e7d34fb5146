#include "tests/support/allocation_count.h"

#include <cstdlib>
#include <new>

namespace {

thread_local sockgate::testing::AllocationCount* t_count = nullptr;

void* CountedAllocation(size_t size) {
  if (t_count != nullptr) ++*t_count;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return CountedAllocation(size); }
void* operator new[](size_t size) { return CountedAllocation(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*size*/) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t /*size*/) noexcept { std::free(memory); }

namespace sockgate::testing {

void CountAllocationsIn(AllocationCount* count) { t_count = count; }

}  // namespace sockgate::testing
