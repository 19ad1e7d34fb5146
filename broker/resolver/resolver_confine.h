// ConfineResolver: takes from the resolver everything that it does not need to parse DNS answers.
//
// Process: BuildResolverCage in the broker, before it forks the keeper; ConfineResolver in the
// resolver, after its files are read and before its first question; and the tests that watch what
// then dies.
// Threads: must be the only one.
// What is left: its descriptors, the calls that c-ares and a wait for descriptors need on them, and
// memory. Any other call kills the process. No privilege is left, no new descriptor comes but
// from the broker, and a connected socket cannot be pointed elsewhere: connect(2) and sendmsg(2)
// are gone, sendto(2) takes no address and no MSG_FASTOPEN. Its memory is closed to its own user
// (PR_SET_DUMPABLE), and may not grow without end (RLIMIT_DATA). Landlock says once more that there
// is no file, no TCP port and nobody to send a signal to.
// Manual pages: seccomp(2), landlock(7), capset(2), prctl(2), setrlimit(2).

#ifndef SOCKGATE_BROKER_RESOLVER_RESOLVER_CONFINE_H_
#define SOCKGATE_BROKER_RESOLVER_RESOLVER_CONFINE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "confine/cage_level.h"
#include "confine/process_cage.h"

namespace sockgate {

// Without a cage around the broker, the resolver still has all layers but Landlock: what it reads
// is more hostile than what anybody else here does.
absl::StatusOr<confine::ProcessCage> BuildResolverCage(confine::CageLevel level);

// After an error the process is confined in part and must end.
absl::Status ConfineResolver(const confine::ProcessCage& cage);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_RESOLVER_CONFINE_H_
