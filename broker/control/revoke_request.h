// RevokeRequest: the text of an order to end connections, as it goes over the control socket
// (CONTROL.md).
//
// Process: broker, the control thread; and the operator's command, which writes it. Pure.
// Hostile input: the text, of root or of the broker's own user. An error repeats none of it.

#ifndef SOCKGATE_BROKER_CONTROL_REVOKE_REQUEST_H_
#define SOCKGATE_BROKER_CONTROL_REVOKE_REQUEST_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/revoke_order.h"

namespace sockgate {

inline constexpr absl::string_view kRevokeWord = "revoke";

// What follows the word: nothing, or " role=R", " worker=N" and " to=CIDR", each at most once.
absl::StatusOr<RevokeOrder> ParseRevokeRequest(absl::string_view pairs);

// The whole request, at most kMaxControlRequestBytes long where the role is a role's name.
std::string RevokeRequest(const RevokeOrder& order);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONTROL_REVOKE_REQUEST_H_
