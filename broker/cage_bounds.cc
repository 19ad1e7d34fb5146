#include "broker/cage_bounds.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "confine/folders.h"

namespace sockgate {
namespace {

constexpr absl::string_view kRestart = "; restart the broker to have it";

absl::Status Beyond(absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(
      what, ", and the broker's cage allows no more than it had at its start", kRestart));
}

bool HasSource(const SocketOptions& options) {
  return options.source_v4.has_value() || options.source_v6.has_value();
}

}  // namespace

absl::Status CageBounds::Check(const RoleTable& roles, const std::vector<ListenAt>& listen,
                               const std::optional<ResolverOptions>& resolver) const {
  const KernelGrants now = {kernel.mark_by_net_raw, FreeCongestionControls()};
  for (const auto& [name, role] : roles.roles()) {
    const auto missing = Missing(CapabilitiesFor(role->socket_options, now), capabilities);
    if (missing != 0) {
      return Beyond(
          absl::StrCat("the sockets of role ", name, " need ", confine::CapabilityNames(missing)));
    }
    if (has_landlock && !binds_sources && HasSource(role->socket_options)) {
      return Beyond(absl::StrCat("role ", name, " has a source address, and none had one"));
    }
  }
  if (!has_landlock) return absl::OkStatus();
  for (const ListenAt& at : listen) {
    if (confine::AreAllBeneath(at.path, listen_folders)) continue;
    return Beyond(absl::StrCat(at.path, " is in none of the folders where the broker listens (",
                               absl::StrJoin(listen_folders, ", "), ")"));
  }
  if (!resolver.has_value() || resolver->hosts_file.empty() ||
      confine::AreAllBeneath(resolver->hosts_file, resolver_folders)) {
    return absl::OkStatus();
  }
  return Beyond(absl::StrCat(resolver->hosts_file,
                             " is in none of the folders that the resolver reads (",
                             absl::StrJoin(resolver_folders, ", "), ")"));
}

absl::Status CageBounds::Explain(const absl::Status& error) {
  if (!absl::IsPermissionDenied(error)) return error;
  return absl::PermissionDeniedError(
      absl::StrCat(error.message(), ": perhaps the broker's cage forbids it", kRestart));
}

}  // namespace sockgate
