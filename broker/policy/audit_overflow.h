// AuditOverflow: what gives way when the audit log cannot be written.

#ifndef SOCKGATE_BROKER_POLICY_AUDIT_OVERFLOW_H_
#define SOCKGATE_BROKER_POLICY_AUDIT_OVERFLOW_H_

#include <cstdint>

namespace sockgate {

enum class AuditOverflow : uint8_t {
  kDeny,  // requests: nothing is decided that could not be written down
  kDrop,  // lines, which are counted: requests go on
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_AUDIT_OVERFLOW_H_
