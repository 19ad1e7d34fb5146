#include "tool/revoke.h"

#include <cstdio>
#include <cstdlib>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "broker/control/revoke_request.h"
#include "broker/policy/cidr_fault.h"
#include "broker/policy/role.h"
#include "tool/control_client.h"
#include "tool/exit_status.h"

namespace sockgate {
namespace {

int Fail(absl::string_view why, int status) {
  std::fprintf(stderr, "sockgate revoke: %s\n", std::string{why}.c_str());
  return status;
}

absl::StatusOr<RevokeOrder> OrderFrom(const RevokeOptions& options) {
  const bool some =
      options.role.has_value() || options.worker.has_value() || options.to.has_value();
  if (!some && !options.all) {
    return absl::InvalidArgumentError("say which: --role, --worker or --to; or --all");
  }
  if (some && options.all) {
    return absl::InvalidArgumentError("--all goes with none of --role, --worker and --to");
  }
  RevokeOrder order;
  order.role = options.role;
  order.worker = options.worker;
  if (options.role.has_value() && !IsRoleName(*options.role)) {
    return absl::InvalidArgumentError(absl::StrCat("'", *options.role, "' is no name of a role"));
  }
  if (!options.to.has_value()) return order;
  order.to = Cidr::Parse(*options.to);
  if (order.to.has_value()) return order;
  const CidrFault fault = FindCidrFault(*options.to);
  return absl::InvalidArgumentError(
      absl::StrCat("'", *options.to, "' ", fault.what, ": ", fault.advice));
}

int Say(const nlohmann::json& reply) {
  const auto count = reply.at("revoked").get<unsigned long long>();
  const char* hint = count == 0 ? "; only those of roles with track = true can be" : "";
  std::printf("%llu %s ended%s\n", count, count == 1 ? "connection" : "connections", hint);
  return EXIT_SUCCESS;
}

}  // namespace

int Revoke(const RevokeOptions& options) {
  const absl::StatusOr<RevokeOrder> order = OrderFrom(options);
  if (!order.ok()) return Fail(order.status().message(), kExitUsage);
  const auto reply = AskBroker(options.control, RevokeRequest(*order));
  if (!reply.ok()) return Fail(reply.status().message(), EXIT_FAILURE);
  try {
    return Say(*reply);
  } catch (const nlohmann::json::exception&) {
    return Fail("the broker's answer makes no sense: is it of another version?", EXIT_FAILURE);
  }
}

}  // namespace sockgate
