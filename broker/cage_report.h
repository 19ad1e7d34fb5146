// CageReport: what the broker has given up, as it was found and not as it was asked for.
//
// Process: broker, and whoever tells of it: status, audit log, command line. A value.

#ifndef SOCKGATE_BROKER_CAGE_REPORT_H_
#define SOCKGATE_BROKER_CAGE_REPORT_H_

#include <sys/types.h>

#include <string>

#include "confine/cage_level.h"
#include "confine/capabilities.h"

namespace sockgate {

struct CageReport {
  confine::CageLevel level = confine::CageLevel::kNone;  // as it was asked for
  uid_t user = 0;
  gid_t group = 0;
  confine::CapabilitySet capabilities = 0;  // that are permitted still
  bool no_new_privileges = false;
  bool undumpable = false;
  int landlock_abi = 0;  // 0: without it
  bool filtered = false;

  // "user 65534, capabilities: none, no_new_privs, not dumpable, Landlock (ABI 7), seccomp"
  std::string ToString() const;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CAGE_REPORT_H_
