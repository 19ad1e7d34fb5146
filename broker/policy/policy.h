// Policy: which endpoints a role may reach. Default deny, and a deny rule beats every allow rule.
//
// Process: broker. Immutable once made; Decide() is pure (no I/O, no clock, no allocation) and may
// be called from any thread. The rules are trusted, the request is hostile.

#ifndef SOCKGATE_BROKER_POLICY_POLICY_H_
#define SOCKGATE_BROKER_POLICY_POLICY_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/policy/cidr.h"
#include "broker/policy/port_set.h"
#include "broker/policy/verdict.h"
#include "proto/endpoint.h"
#include "proto/messages.h"

namespace sockgate {

// Covers TCP to `ports` of the addresses in `range`.
struct Rule {
  Decision decision;
  Cidr range;
  PortSet ports;

  // "CIDR:PORTS" with the CIDR in brackets when it is IPv6: "192.0.2.0/24:80,443",
  // "[2001:db8::/32]:*". The error says which half is wrong.
  static absl::StatusOr<Rule> Parse(Decision decision, absl::string_view text);
};

class Policy {
 public:
  // Denies everything.
  Policy() = default;

  // The first rule has number 1.
  explicit Policy(std::vector<Rule> rules) : rules_(std::move(rules)) {}

  Verdict Decide(const Endpoint& endpoint, Transport transport) const;

 private:
  std::vector<Rule> rules_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_POLICY_H_
