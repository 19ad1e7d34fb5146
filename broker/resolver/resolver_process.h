// RunResolver: the life of the resolver, from the fork on.
//
// Process: resolver, a child of the keeper. It holds standard error, /dev/null as the other
// standard streams, and its two channels.
// Phases: read the files (trusted), tell the broker the name servers, confine itself for good, and
// only then hear the first question and the first DNS answer.
// Threads: one.
// Hostile inputs: every DNS answer. The broker is trusted.
// Failure: what keeps it from starting goes to standard error in one line and ends it; the keeper
// tries again. It also ends when the broker closes either channel.

#ifndef SOCKGATE_BROKER_RESOLVER_RESOLVER_PROCESS_H_
#define SOCKGATE_BROKER_RESOLVER_RESOLVER_PROCESS_H_

#include "broker/resolver/resolver_options.h"
#include "confine/process_cage.h"
#include "proto/unique_fd.h"

namespace sockgate {

// The resolver's ends of its channels.
struct ResolverEnds {
  UniqueFd questions;
  UniqueFd sockets;
};

// `cage` is what the resolver confines itself with (resolver_confine.h).
[[noreturn]] void RunResolver(const ResolverOptions& options, const confine::ProcessCage& cage,
                              ResolverEnds ends);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_RESOLVER_PROCESS_H_
