// Identity: the user and the groups that a process runs as, and the way to become another one for
// good.
//
// Process: whoever confines itself, or its launcher. Needs CAP_SETUID and CAP_SETGID unless it is
// that user already.
// Threads: Find() allocates and reads the user database; Become() does neither and may run between
// fork and exec, of the only thread.
// Hostile inputs: none.
//
// Manual pages: getpwnam_r(3), getgrouplist(3), setresuid(2), setgroups(2).

#ifndef SOCKGATE_CONFINE_IDENTITY_H_
#define SOCKGATE_CONFINE_IDENTITY_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sockgate::confine {

struct Identity {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> more_groups = {};

  // The user of that name with all groups that it is in. NotFound; InvalidArgument for root, which
  // nobody becomes to have fewer rights.
  static absl::StatusOr<Identity> Find(const std::string& name);

  // Whether this process may become it: it holds the capabilities, and its user namespace knows
  // both ids, as one that root has made for itself may not.
  bool CanBecome() const;

  // Whether the process is it already: real, effective and saved, and in no other group.
  bool IsHeld() const;

  // Real, effective and saved ids, and the groups, of the calling thread; 0 or an errno, after which the process should end. Clears the
  // signal that the parent's death sends, and, unless SECBIT_KEEP_CAPS is set, all capabilities.
  [[nodiscard]] int Become() const;
};

}  // namespace sockgate::confine

#endif  // SOCKGATE_CONFINE_IDENTITY_H_
