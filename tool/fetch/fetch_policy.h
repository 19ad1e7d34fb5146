// FetchPolicy: what the workers of one `sockgate fetch` may reach: by --allow, --allow-private and
// --deny, by a role of --policy, or, with none of them, public addresses at ports 80 and 443.
//
// Process: the launcher, before the broker. Reads the policy file. Trusted but checked: the file.

#ifndef SOCKGATE_TOOL_FETCH_FETCH_POLICY_H_
#define SOCKGATE_TOOL_FETCH_FETCH_POLICY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/policy/audit_overflow.h"
#include "broker/policy/broker_limits.h"
#include "broker/policy/role.h"
#include "broker/resolver/resolver_options.h"
#include "client/connect_error.h"
#include "tool/fetch/fetch_options.h"
#include "tool/fetch_failure.h"

namespace sockgate {

class FetchPolicy {
 public:
  // The error says what to write. With --verbose, warnings about the file go to standard error.
  static absl::StatusOr<FetchPolicy> Choose(const FetchOptions& options);

  Role role;
  ResolverOptions resolver;
  BrokerLimits limits;
  AuditOverflow audit_overflow = AuditOverflow::kDeny;

  // Whether a lookup that came to nothing after so long was out of time, which it has from the
  // transfer's limits where those are short.
  bool WasOutOfTime(double seconds) const {
    // At random up to half of a question's time is left out (ares_init(3), jitter).
    return lookup_limit_s_ > 0 && seconds >= lookup_limit_s_ / 2;
  }

  // Where the rule with this number is written: "--allow example.com:443", "policy.toml:12"; empty
  // for 0.
  std::string Source(uint32_t rule) const;

  // What follows a message about what the policy has refused: which rule decided, and what to write
  // to let it through. `url` is what was to be reached, a hostile redirect's or the proxy's; `port`
  // is 0 and `address` empty where no address was asked for.
  std::string Advice(const ConnectError& error, const std::string& url, const std::string& address,
                     uint16_t port) const;

 private:
  static absl::StatusOr<FetchPolicy> FromOptions(const FetchOptions& options);
  static absl::StatusOr<FetchPolicy> FromFile(const FetchOptions& options);

  void BoundLookups(const FetchOptions& options);

  double lookup_limit_s_ = 0;         // 0: the resolver's own
  std::vector<std::string> sources_;  // of the rule at the same index; without a file
  std::string file_;
  RulesIn rules_in_ = RulesIn::kDefault;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_FETCH_POLICY_H_
