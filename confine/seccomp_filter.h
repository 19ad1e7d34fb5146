// SeccompFilter: a Profile compiled to the program that the kernel runs before each system call.
//
// Process: Build runs in the launcher, or in the process to be confined; Install in the latter.
// Ownership: a value that owns its instructions.
// Threads: neither function blocks. Build allocates and must not run between fork and exec of a
// threaded program; Install is async-signal-safe and binds every thread of the process.
// Hostile inputs: none.
// Failure: Build names the rule that is wrong; Install returns an errno and nothing is installed.
//
// A filter can never be removed, and is inherited by fork and exec. Filters stack: the kernel runs
// all of them and obeys the most restrictive answer (KILL_PROCESS, then ERRNO, LOG, ALLOW); between
// two ERRNO the filter installed last wins. None can let through what another refuses.
//
// Manual pages: seccomp(2), seccomp_init(3), seccomp_rule_add(3), seccomp_attr_set(3).

#ifndef SOCKGATE_CONFINE_SECCOMP_FILTER_H_
#define SOCKGATE_CONFINE_SECCOMP_FILTER_H_

#include <linux/filter.h>

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "confine/profile.h"

namespace sockgate::confine {

class SeccompFilter {
 public:
  // InvalidArgument, with the profile's name and the rule, for: an unknown system call; a condition
  // that can never hold or names an argument twice; an action that equals the fallback (the rule
  // would do nothing); an errno out of range; a rule without conditions beside another of the same
  // system call.
  static absl::StatusOr<SeccompFilter> Build(const Profile& profile);

  // Sets no_new_privs and loads the program, for every thread of the process at once
  // (SECCOMP_FILTER_FLAG_TSYNC; no_new_privs follows). Returns 0, or an errno: ESRCH when some
  // thread carries a filter that this one lacks, so that they cannot be brought together; EINVAL or
  // ENOSYS on kernels without seccomp filters (before 4.14).
  [[nodiscard]] int Install() const;

  const std::vector<sock_filter>& program() const { return program_; }

 private:
  explicit SeccompFilter(std::vector<sock_filter> program) : program_(std::move(program)) {}

  std::vector<sock_filter> program_;
};

}  // namespace sockgate::confine

#endif  // SOCKGATE_CONFINE_SECCOMP_FILTER_H_
