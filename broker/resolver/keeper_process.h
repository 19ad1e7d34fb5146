// RunKeeper: the life of the keeper, from the fork on.
//
// Process: keeper, a child of the broker with one thread. It confines itself first
// (keeper_confine.h), then tells the broker so by one byte. It reads nothing but the broker's
// orders, and opens nothing: the resolver reads the files, before it confines itself further.
// Signals: ignores SIGHUP, SIGINT and SIGTERM, which are the broker's affair, and so do its
// resolvers. Failure: ends, and takes the resolver with it, when the broker ends or sends what is
// no order.

#ifndef SOCKGATE_BROKER_RESOLVER_KEEPER_PROCESS_H_
#define SOCKGATE_BROKER_RESOLVER_KEEPER_PROCESS_H_

#include <optional>

#include "broker/resolver/resolver_options.h"
#include "confine/process_cage.h"
#include "proto/unique_fd.h"

namespace sockgate {

// What the keeper and its resolvers confine themselves with; nothing: the keeper does not.
struct KeeperCages {
  std::optional<confine::ProcessCage> keeper;
  confine::ProcessCage resolver;
};

[[noreturn]] void RunKeeper(const ResolverOptions& options, KeeperCages cages, UniqueFd control);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_KEEPER_PROCESS_H_
