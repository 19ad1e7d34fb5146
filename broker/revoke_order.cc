#include "broker/revoke_order.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "broker/policy/embedded_v4.h"
#include "broker/policy/nearest_word.h"

namespace sockgate {
namespace {

// Itself, or through a translator or a tunnel.
bool LeadsInto(const Cidr& range, const IpAddress& address) {
  if (range.Contains(address)) return true;
  const EmbeddedV4List embedded = FindEmbeddedV4(address);
  return std::any_of(embedded.begin(), embedded.end(),
                     [&](const EmbeddedV4& v4) { return range.Contains(v4.address); });
}

// A reply is one packet: it has room for so many names, and not for those of any policy.
std::string SomeOf(const std::vector<absl::string_view>& names) {
  constexpr size_t kMost = 10;
  const size_t count = std::min(names.size(), kMost);
  std::string some =
      absl::StrJoin(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(count), ", ");
  if (count < names.size()) absl::StrAppend(&some, " and ", names.size() - count, " more");
  return some;
}

absl::Status NoRole(absl::string_view name, const std::vector<absl::string_view>& there) {
  const absl::string_view nearest = NearestWord(name, there);
  const std::string advice = nearest.empty() ? absl::StrCat("there are ", SomeOf(there))
                                             : absl::StrCat("write '", nearest, "'");
  return absl::NotFoundError(absl::StrCat("there is no role '", name, "': ", advice));
}

}  // namespace

void RevokeOrder::Meet(const WorkerRecord& one, Met* met) const {
  met->role = met->role || one.role->name == role;
  met->worker = met->worker || one.id == worker;
}

absl::Status RevokeOrder::Check(const Met& met, const RoleTable& roles) const {
  if (role.has_value() && !met.role && roles.Find(*role) == nullptr) {
    std::vector<absl::string_view> names;
    for (const auto& [name, there] : roles.roles()) names.emplace_back(name);
    return NoRole(*role, names);
  }
  if (!worker.has_value() || met.worker) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("there is no worker ", *worker,
                                          ": it has ended, and its connections with it; or its "
                                          "number in the audit log is another"));
}

bool RevokeOrder::Matches(const Attempt& attempt) const {
  if (role.has_value() && attempt.worker->role->name != *role) return false;
  if (worker.has_value() && attempt.worker->id != *worker) return false;
  const Endpoint& target = attempt.request.endpoint;
  return !to.has_value() || (target.is_ip() && LeadsInto(*to, target.ip()));
}

}  // namespace sockgate
