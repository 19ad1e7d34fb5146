// KilledCall: which system call a process died of, when its seccomp filter killed it.
//
// Process: the test. The kernel tells nobody but its log, which not everybody may read and which may
// have lost the line; then the answer says where else to look.

#ifndef SOCKGATE_TESTS_SUPPORT_KILLED_CALL_H_
#define SOCKGATE_TESTS_SUPPORT_KILLED_CALL_H_

#include <sys/types.h>

#include <string>

namespace sockgate::testing {

// For a test's message. `wait_status` is waitpid(2)'s, of the process with this number; empty if
// something else ended it.
std::string KilledCall(pid_t pid, int wait_status);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_KILLED_CALL_H_
