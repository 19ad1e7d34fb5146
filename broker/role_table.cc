#include "broker/role_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/limits.h"

namespace sockgate {
namespace {

absl::Status CheckRole(const Role& role) {
  if (role.name.empty() || role.name.size() > kMaxPacketBytes) {
    return absl::InvalidArgumentError("a role needs a name of 1 to 1024 bytes");
  }
  const uint16_t outstanding = role.limits.max_outstanding;
  if (outstanding == 0 || outstanding > kMaxOutstanding) {
    return absl::InvalidArgumentError(
        absl::StrCat("role ", role.name, ": max_outstanding must be 1 to ", kMaxOutstanding));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RoleTable> RoleTable::Make(std::vector<Role> roles) {
  if (roles.empty()) return absl::InvalidArgumentError("a broker needs a role");
  RoleTable table;
  for (Role& role : roles) {
    if (absl::Status status = CheckRole(role); !status.ok()) return status;
    std::string name = role.name;
    auto snapshot = std::make_shared<const Role>(std::move(role));
    if (!table.roles_.emplace(name, std::move(snapshot)).second) {
      return absl::InvalidArgumentError(absl::StrCat("two roles are named ", name));
    }
  }
  return table;
}

RoleSnapshot RoleTable::Find(absl::string_view name) const {
  const auto found = roles_.find(name);
  return found == roles_.end() ? nullptr : found->second;
}

RoleSnapshot RoleTable::Removed(std::string name, const Limits& limits) {
  auto removed = std::make_shared<Role>();
  removed->name = std::move(name);
  removed->limits = limits;
  removed->policy = Policy::Closed(Reason::kRoleRemoved);
  return removed;
}

}  // namespace sockgate
