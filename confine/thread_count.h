// CountThreads: how many threads this process has.
//
// Landlock, capabilities and no_new_privs belong to threads, so who gives them up has to know.
// Async-signal-safe, does not block. Source: proc_pid_task(5).

#ifndef SOCKGATE_CONFINE_THREAD_COUNT_H_
#define SOCKGATE_CONFINE_THREAD_COUNT_H_

namespace sockgate::confine {

// 0: nobody says, for want of /proc.
int CountThreads();

}  // namespace sockgate::confine

#endif  // SOCKGATE_CONFINE_THREAD_COUNT_H_
