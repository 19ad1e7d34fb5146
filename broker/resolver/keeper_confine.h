// BuildKeeperCage: what is left to the keeper, and to a resolver until that confines itself.
//
// Process: broker, before it forks the keeper, who puts the cage on before it forks a resolver.
// What is left: making processes; reading the resolver's files, /proc, and beneath the folders of
// those files; its control socket; killing what it started. No new socket but pairs of its own, no
// program, no privilege. A resolver inherits all that and gives up nearly everything of it, so the
// list has also what confining oneself takes.
// Files are read anew after each reload and may have been replaced by then, so their folders are
// what Landlock opens. /proc is for the size of a resolver's memory, which is bounded by it.

#ifndef SOCKGATE_BROKER_RESOLVER_KEEPER_CONFINE_H_
#define SOCKGATE_BROKER_RESOLVER_KEEPER_CONFINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/resolver/resolver_options.h"
#include "confine/cage_level.h"
#include "confine/process_cage.h"

namespace sockgate {

// The folders that a resolver's files may be in, after a reload too.
std::vector<std::string> ResolverFolders(const ResolverOptions& options);

absl::StatusOr<confine::ProcessCage> BuildKeeperCage(confine::CageLevel level,
                                                     const ResolverOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_KEEPER_CONFINE_H_
