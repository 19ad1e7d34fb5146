// The search list of resolv.conf(5): which names a name may stand for.
//
// Process: resolver. A pure function; its input is trusted.

#ifndef SOCKGATE_BROKER_RESOLVER_SEARCH_LIST_H_
#define SOCKGATE_BROKER_RESOLVER_SEARCH_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

namespace sockgate {

// The name itself and the name within each domain, in the order in which to ask for them: the name
// itself comes first when it has at least `ndots` dots, and last otherwise. One that would be
// longer than the DNS allows is left out. A name below .onion stands for itself alone: no name
// server is to hear of it (RFC 7686). `name` is canonical.
std::vector<std::string> SearchCandidates(const std::string& name,
                                          const std::vector<std::string>& domains, uint32_t ndots);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_SEARCH_LIST_H_
