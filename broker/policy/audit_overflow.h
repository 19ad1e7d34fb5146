// AuditOverflow: what becomes of requests while the audit log cannot be written, and as many of its
// lines wait as may.
//
// Process: broker, and the tools that read policies.

#ifndef SOCKGATE_BROKER_POLICY_AUDIT_OVERFLOW_H_
#define SOCKGATE_BROKER_POLICY_AUDIT_OVERFLOW_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace sockgate {

enum class AuditOverflow {
  kDeny,  // they are answered limited: nothing is decided that is not logged
  kDrop,  // they go on, and lines are counted instead of being written
};

// "deny" or "drop"; nothing for any other word.
inline std::optional<AuditOverflow> ParseAuditOverflow(absl::string_view word) {
  if (word == "deny") return AuditOverflow::kDeny;
  if (word == "drop") return AuditOverflow::kDrop;
  return std::nullopt;
}

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_AUDIT_OVERFLOW_H_
