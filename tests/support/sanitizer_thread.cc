// ThreadSanitizer runs a thread of its own beside the program's, which is in the way of all that
// confines itself: its calls are in no filter, it keeps its capabilities, and it counts as a second
// thread. Linked into every program that is built with the sanitizer, this ends it before main(), and
// keeps children of fork(2) from having one, so that nothing else has to know of it. Races are found
// without it: it gives memory back and writes statistics.
//
// Not instrumented: the sanitizer calls it before it is ready.

#include <dlfcn.h>
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#include <sched.h>
#include <sys/stat.h>

#include <atomic>

extern "C" int __interceptor_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*),
                                            void*);

namespace {

using Handler = void (*)();

std::atomic<bool> has_had_threads{false};

// What the sanitizer has fork(2) call: it takes its locks before, and starts its thread in the child.
Handler before_fork = nullptr;
Handler after_fork_in_parent = nullptr;
Handler after_fork_in_child = nullptr;

// 0: nobody says, for want of /proc.
int CountThreads() {
  struct stat tasks;
  return stat("/proc/self/task", &tasks) == 0 ? static_cast<int>(tasks.st_nlink) - 2 : 0;
}

// A thread that was joined is counted until the kernel has done with it.
void EndSanitizerThread() {
  if (CountThreads() < 2) return;
  __sanitizer_sandbox_on_notify(nullptr);
  while (CountThreads() > 1) sched_yield();
}

// Who never had a thread has nobody else's locks to wait for, and may have a filter that the calls
// of a new one are not in.
void BeforeFork() {
  if (has_had_threads) before_fork();
}

void AfterForkInParent() {
  if (has_had_threads) after_fork_in_parent();
}

void AfterForkInChild() {
  if (!has_had_threads) return;
  after_fork_in_child();
  EndSanitizerThread();
  has_had_threads = false;
}

void* DoNothing(void*) { return nullptr; }

// The sanitizer starts its thread with the program's first one, and only then listens to being asked
// to end it.
[[gnu::constructor]] void StartAndEndSanitizerThread() {
  pthread_t first;
  if (pthread_create(&first, nullptr, DoNothing, nullptr) != 0) return;
  pthread_join(first, nullptr);
  EndSanitizerThread();
  has_had_threads = false;
}

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*run)(void*), void* argument) {
  has_had_threads = true;
  return __interceptor_pthread_create(thread, attributes, run, argument);
}

// What pthread_atfork(3) is made of. The sanitizer is the first to call it.
extern "C" int __register_atfork(Handler before, Handler in_parent, Handler in_child,
                                 void* library) {
  using Register = int (*)(Handler, Handler, Handler, void*);
  const auto real = reinterpret_cast<Register>(dlsym(RTLD_NEXT, "__register_atfork"));
  if (before_fork != nullptr) return real(before, in_parent, in_child, library);
  before_fork = before;
  after_fork_in_parent = in_parent;
  after_fork_in_child = in_child;
  return real(BeforeFork, AfterForkInParent, AfterForkInChild, nullptr);
}
