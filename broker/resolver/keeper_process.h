// RunKeeper: the life of the keeper, from the fork on.
//
// Process: keeper, a child of the broker with one thread. It has the broker's privileges, reads
// nothing but the broker's orders, and opens nothing: the resolver reads the files, before it
// confines itself.
// Signals: ignores SIGHUP, SIGINT and SIGTERM, which are the broker's affair, and so do its
// resolvers. Failure: ends, and takes the resolver with it, when the broker ends or sends what is
// no order.

#ifndef SOCKGATE_BROKER_RESOLVER_KEEPER_PROCESS_H_
#define SOCKGATE_BROKER_RESOLVER_KEEPER_PROCESS_H_

#include "broker/resolver/resolver_options.h"
#include "proto/unique_fd.h"

namespace sockgate {

[[noreturn]] void RunKeeper(const ResolverOptions& options, UniqueFd control);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_KEEPER_PROCESS_H_
