// BrokerProfile: the system calls that are left to the broker.
//
// Process: broker, before it confines itself. Plain data.
//
// What is left: sockets of the families that policies speak of, pointed anywhere (what a policy
// forbids, the policy has to); listening on UNIX sockets; reading files; reading the list of this
// host's addresses; threads; memory that cannot be executed. Nothing can be opened to be written
// but by openat2(2), whose flags a filter cannot see and which Landlock therefore has to judge, and
// the audit log's file, anew, to be appended to; the one that is open cannot lose its O_APPEND, nor
// be cut. No program, no process, no other user, nobody else's memory, none of the kernel's wide
// interfaces.
//
// What the C library and the modules of nsswitch.conf try when a reload looks users up, and can do
// without, fails softly. Whatever is not listed kills the process (SIGSYS).

#ifndef SOCKGATE_BROKER_BROKER_PROFILE_H_
#define SOCKGATE_BROKER_BROKER_PROFILE_H_

#include <sys/types.h>

#include "confine/profile.h"

namespace sockgate {

// Whether the audit log is a file that is opened anew (rotated_file.h).
enum class AuditRotation { kNone, kFile };

// `self` is the process that will be confined: it may abort itself, and signal nobody else. `user`
// is who it runs as: root may not change the mode of a file, for without any capability it still
// owns the host's, and a filter cannot tell them from the broker's sockets.
confine::Profile BrokerProfile(pid_t self, uid_t user,
                               AuditRotation rotation = AuditRotation::kNone);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_BROKER_PROFILE_H_
