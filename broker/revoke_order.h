// RevokeOrder: which tracked connections an operator wants to end.
//
// Process: broker, and the operator's command. A value.

#ifndef SOCKGATE_BROKER_REVOKE_ORDER_H_
#define SOCKGATE_BROKER_REVOKE_ORDER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "broker/connector.h"
#include "broker/policy/cidr.h"

namespace sockgate {

// What is absent does not matter; with nothing it is all of them.
struct RevokeOrder {
  std::optional<std::string> role;
  std::optional<uint64_t> worker;  // its number, as in the audit log
  std::optional<Cidr> to;          // where the connection leads

  bool Matches(const Attempt& attempt) const;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_REVOKE_ORDER_H_
