#include "broker/control/revoke_request.h"

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "broker/policy/cidr.h"
#include "broker/policy/role.h"

namespace sockgate {
namespace {

absl::Status Wrong(absl::string_view why) { return absl::InvalidArgumentError(why); }

absl::Status SetRole(absl::string_view text, RevokeOrder* order) {
  if (order->role.has_value() || !IsRoleName(text)) return Wrong("role= wants one role's name");
  order->role = std::string{text};
  return absl::OkStatus();
}

// absl reads signs and white space too.
absl::Status SetWorker(absl::string_view text, RevokeOrder* order) {
  uint64_t number = 0;
  const bool digits = text.find_first_not_of("0123456789") == absl::string_view::npos;
  if (order->worker.has_value() || !digits || !absl::SimpleAtoi(text, &number)) {
    return Wrong("worker= wants one worker's number");
  }
  order->worker = number;
  return absl::OkStatus();
}

absl::Status SetTo(absl::string_view text, RevokeOrder* order) {
  const std::optional<Cidr> range = Cidr::Parse(text);
  if (order->to.has_value() || !range.has_value()) return Wrong("to= wants one address range");
  order->to = range;
  return absl::OkStatus();
}

absl::Status Set(absl::string_view pair, RevokeOrder* order) {
  if (absl::ConsumePrefix(&pair, "role=")) return SetRole(pair, order);
  if (absl::ConsumePrefix(&pair, "worker=")) return SetWorker(pair, order);
  if (absl::ConsumePrefix(&pair, "to=")) return SetTo(pair, order);
  return Wrong("revoke knows role=, worker= and to=");
}

}  // namespace

// What is misspelt must not be taken for an order without bounds.
absl::StatusOr<RevokeOrder> ParseRevokeRequest(absl::string_view pairs) {
  RevokeOrder order;
  if (pairs.empty()) return order;
  if (!absl::ConsumePrefix(&pairs, " ")) return Wrong("unknown request");
  for (const absl::string_view pair : absl::StrSplit(pairs, ' ')) {
    if (absl::Status status = Set(pair, &order); !status.ok()) return status;
  }
  return order;
}

std::string RevokeRequest(const RevokeOrder& order) {
  std::string text{kRevokeWord};
  if (order.role.has_value()) absl::StrAppend(&text, " role=", *order.role);
  if (order.worker.has_value()) absl::StrAppend(&text, " worker=", *order.worker);
  if (order.to.has_value()) absl::StrAppend(&text, " to=", order.to->ToString());
  return text;
}

}  // namespace sockgate
