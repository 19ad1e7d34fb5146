// CountThreads: how many threads this process has.
//
// Landlock, capabilities and no_new_privs belong to threads, so who gives them up has to know.
// Async-signal-safe, does not block. Source: proc_pid_task(5).

#ifndef SOCKGATE_CONFINE_THREAD_COUNT_H_
#define SOCKGATE_CONFINE_THREAD_COUNT_H_

namespace sockgate::confine {

// 0: nobody says, for want of /proc.
int CountThreads();

// ThreadSanitizer, in builds that have it, runs a thread beside the program's. It is not counted,
// for it is asked to end first; and since its calls are in nobody's filter, it must have ended before
// there is one. In any other build there is nothing to do.
void EndSanitizerThread();

}  // namespace sockgate::confine

#endif  // SOCKGATE_CONFINE_THREAD_COUNT_H_
