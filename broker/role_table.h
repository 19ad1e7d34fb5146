// RoleTable: the roles of one policy, as snapshots that workers share.
//
// Process: broker. A role never changes once it is in a table: a reload makes a new table, and the
// workers' references decide how long an old role lives.
// Threads: reading from any, as long as nobody assigns to the table.

#ifndef SOCKGATE_BROKER_ROLE_TABLE_H_
#define SOCKGATE_BROKER_ROLE_TABLE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/policy/role.h"

namespace sockgate {

using RoleSnapshot = std::shared_ptr<const Role>;

class RoleTable {
 public:
  using Map = std::map<std::string, RoleSnapshot, std::less<>>;

  // At least one role; names differ. The error says which role is wrong and why.
  static absl::StatusOr<RoleTable> Make(std::vector<Role> roles);

  // Null when there is none of that name.
  RoleSnapshot Find(absl::string_view name) const;

  // What a worker has from the moment that its role is gone: a policy that denies everything for
  // that reason.
  static RoleSnapshot Removed(std::string name, const Limits& limits);

  const Map& roles() const { return roles_; }

 private:
  RoleTable() = default;

  Map roles_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_ROLE_TABLE_H_
