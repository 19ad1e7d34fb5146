// ResolverState: what has become of the process that asks the name servers, as far as the broker
// knows.

#ifndef SOCKGATE_BROKER_RESOLVER_STATE_H_
#define SOCKGATE_BROKER_RESOLVER_STATE_H_

#include <cstdint>

namespace sockgate {

enum class ResolverState : uint8_t {
  kReady,
  kAwaited,  // not there yet, or not done with its files
  kGone,     // and none will come any more
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_STATE_H_
