// ResolverConfig: what the resolver works with, from its options and the files that they name.
//
// Process: resolver, before it confines itself; nothing is read afterwards. Files and options are
// trusted.

#ifndef SOCKGATE_BROKER_RESOLVER_RESOLVER_CONFIG_H_
#define SOCKGATE_BROKER_RESOLVER_RESOLVER_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/resolver/hosts_table.h"
#include "broker/resolver/resolver_options.h"
#include "proto/endpoint.h"

namespace sockgate {

struct ResolverConfig {
  std::vector<Endpoint> servers;  // 1 to kMaxResolverServers, no address and port twice
  uint32_t timeout_ms = 0;
  uint32_t tries = 0;
  uint32_t ndots = 0;
  std::vector<std::string> search;
  HostsTable hosts;
};

// What the options leave open is read from their resolv.conf by c-ares, the way it does for itself,
// with "timeout" and "attempts" besides, and brought within the bounds of ResolverOptions. Without
// a server anywhere it is 127.0.0.1, resolv.conf(5). An error: a file that exists cannot be read.
absl::StatusOr<ResolverConfig> LoadResolverConfig(const ResolverOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_RESOLVER_CONFIG_H_
