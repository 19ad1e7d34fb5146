// ResolverOptions: what the operator says about names, from [resolver] of the policy.
//
// Process: broker, keeper and resolver. A value; trusted, for it comes from the policy file.

#ifndef SOCKGATE_BROKER_RESOLVER_RESOLVER_OPTIONS_H_
#define SOCKGATE_BROKER_RESOLVER_RESOLVER_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/endpoint.h"
#include "proto/limits.h"

namespace sockgate {

// Bounds of what may be given. CheckResolverOptions() holds them.
inline constexpr size_t kMaxResolverServers = 16;
inline constexpr size_t kMaxSearchDomains = 6;  // resolv.conf(5), "search"
inline constexpr uint32_t kMaxResolverTimeoutMs = 60'000;
inline constexpr uint32_t kMaxResolverTries = 10;
inline constexpr uint32_t kMaxQuestionMs = kMaxLookupMs - 1000;
inline constexpr uint32_t kMaxNdots = 15;  // resolv.conf(5), "ndots"
inline constexpr size_t kMaxResolverPathBytes = 1024;
inline constexpr uint32_t kMaxTtlSeconds = 604'800;

// How long answers are kept. Bounds of what the DNS says; a TTL of 0 is none of their business,
// such an answer is for those who wait for it. The broker's, not the resolver's.
struct TtlBounds {
  uint32_t least_s = 1;
  uint32_t most_s = 3600;  // RFC 8767, section 4: a cache may cap what it is told
  // RFC 2308, section 5, has one to three hours for the most. It counts where least_s is more.
  uint32_t most_negative_s = 300;
};

struct ResolverOptions {
  // IP endpoints; port 0 means 53. Empty: those of `resolv_conf`.
  std::vector<Endpoint> servers = {};
  // How long one server may take at the first try, and how often all are tried. What is not given
  // comes from `resolv_conf`. No question takes longer than that and the number of servers,
  // multiplied, nor than kMaxQuestionMs.
  std::optional<uint32_t> timeout_ms = {};
  std::optional<uint32_t> tries = {};
  // A name with fewer dots is tried with the search domains first. Means nothing without them.
  std::optional<uint32_t> ndots = {};
  // Appended to names. Never taken from `resolv_conf`: the policy judged the name that was asked,
  // so only who writes the policy may have another one looked up instead.
  std::vector<std::string> search = {};
  // Read when a resolver starts, and never afterwards. Empty: read nothing.
  std::string resolv_conf = "/etc/resolv.conf";
  std::string hosts_file = "/etc/hosts";
  TtlBounds ttl = {};
};

// "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]", "[2001:db8::53]:5353"; nothing
// for anything else, and for the unspecified address.
std::optional<Endpoint> ParseNameServer(absl::string_view text);

// InvalidArgument, with the member, for what is out of bounds.
absl::Status CheckResolverOptions(const ResolverOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_RESOLVER_OPTIONS_H_
