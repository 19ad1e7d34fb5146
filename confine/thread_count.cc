#include "confine/thread_count.h"

#include <sys/stat.h>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/common_interface_defs.h>
#include <unistd.h>
#endif

namespace sockgate::confine {
namespace {

// A folder has a link from each folder in it, and here that is one for each thread.
int CountTasks() {
  struct stat tasks;
  if (stat("/proc/self/task", &tasks) != 0 || tasks.st_nlink < 3) return 0;
  return static_cast<int>(tasks.st_nlink) - 2;
}

}  // namespace

int CountThreads() {
  EndSanitizerThread();
  return CountTasks();
}

// The sanitizer waits for its thread even where there is none: where it has ended, or in a child of
// fork(2) that did not get one.
void EndSanitizerThread() {
#ifdef __SANITIZE_THREAD__
  static pid_t ended_in = 0;
  if (ended_in == getpid() || CountTasks() < 2) return;
  ended_in = getpid();
  __sanitizer_sandbox_on_notify(nullptr);
#endif
}

}  // namespace sockgate::confine
