// RevokeOrder: which tracked connections an operator wants to end.
//
// Process: broker, and the operator's command. A value.

#ifndef SOCKGATE_BROKER_REVOKE_ORDER_H_
#define SOCKGATE_BROKER_REVOKE_ORDER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "broker/connector.h"
#include "broker/policy/cidr.h"
#include "broker/role_table.h"
#include "broker/worker_record.h"

namespace sockgate {

// What is absent does not matter; with nothing it is all of them.
struct RevokeOrder {
  std::optional<std::string> role;
  std::optional<uint64_t> worker;  // its number, as in the audit log
  std::optional<Cidr> to;  // where the connection leads, be it by an IPv6 address that embeds it

  bool Matches(const Attempt& attempt) const;

  // Whether a worker of its role is served, and its worker.
  struct Met {
    bool role = false;
    bool worker = false;
  };
  void Meet(const WorkerRecord& one, Met* met) const;
  // NotFound: whom it names is neither in the policy nor served. A role that was removed is there
  // while it has workers. Says what may have been meant.
  absl::Status Check(const Met& met, const RoleTable& roles) const;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_REVOKE_ORDER_H_
