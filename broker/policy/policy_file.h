// PolicyFile: a policy as its operator writes it. POLICY.md is the reference of the language.
//
// Process: broker, when it starts and reloads, in a thread that serves nobody; and the tools.
// Trusted but checked: the file. No input makes it crash, and one with an error makes no policy.
// Blocking: as long as reading a file, the user database (getpwnam(3)) and the list of interfaces
// (getifaddrs(3)) takes.

#ifndef SOCKGATE_BROKER_POLICY_POLICY_FILE_H_
#define SOCKGATE_BROKER_POLICY_POLICY_FILE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "broker/policy/audit_overflow.h"
#include "broker/policy/broker_limits.h"
#include "broker/policy/finding.h"
#include "broker/policy/listen_at.h"
#include "broker/policy/role.h"
#include "broker/resolver/resolver_options.h"

namespace sockgate {

struct PolicyFile {
  std::vector<Role> roles;
  std::vector<ListenAt> listen;
  ResolverOptions resolver;
  BrokerLimits limits;
  AuditOverflow audit_overflow = AuditOverflow::kDeny;
};

struct LoadedPolicy {
  std::optional<PolicyFile> policy;  // absent when a finding is an error
  std::vector<Finding> findings;     // in the order of the file
};

// The file must be a regular one of at most kMaxPolicyBytes.
inline constexpr size_t kMaxPolicyBytes = 64 << 20;
LoadedPolicy LoadPolicyFile(const std::string& path);

// The same for text that came from elsewhere.
LoadedPolicy ParsePolicy(absl::string_view text);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_POLICY_FILE_H_
