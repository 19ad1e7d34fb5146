#include "confine/thread_count.h"

#include <sys/stat.h>

namespace sockgate::confine {

// A folder has a link from each folder in it, and here that is one for each thread.
int CountThreads() {
  struct stat tasks;
  if (stat("/proc/self/task", &tasks) != 0 || tasks.st_nlink < 3) return 0;
  return static_cast<int>(tasks.st_nlink) - 2;
}

}  // namespace sockgate::confine
