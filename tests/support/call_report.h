// Runs a function in a child whose system calls, or some of them, its parent hears of.
//
// Without ptrace(2), and without privilege: the child has a seccomp filter, and what that answers
// with SECCOMP_RET_USER_NOTIF waits until the parent has seen it and lets it go on. Processes that
// the child starts are under the filter too, and other filters on top of it work as ever. Calls
// that libc makes without the kernel, such as clock_gettime(2), are none.
//
// Process: tests; the caller forks, so it needs one thread. Errors are statuses.
// Sources: seccomp(2), seccomp_unotify(2), pidfd_getfd(2).

#ifndef SOCKGATE_TESTS_SUPPORT_CALL_REPORT_H_
#define SOCKGATE_TESTS_SUPPORT_CALL_REPORT_H_

#include <absl/status/statusor.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <vector>

namespace sockgate::testing {

struct ReportingChild {
  std::function<void()> prepare = [] {};  // before the filter
  std::vector<sock_filter> filter;
  std::function<int()> run;  // its result is the exit code
};

// In the parent, before the call goes on.
using OnCall = std::function<void(pid_t child, const seccomp_notif& call)>;

// The exit code, or -1 when a signal ended the child. Unavailable: this host lets no process be
// watched so. DeadlineExceeded: it, or a process that it started, took longer than the patience.
absl::StatusOr<int> RunReporting(const ReportingChild& child, const OnCall& on_call,
                                 std::chrono::seconds patience);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_CALL_REPORT_H_
