// RuleReach: what the allow rules of a role reach all together, as far as it can be said for
// certain without asking about every address.
//
// Process: broker, when it loads a policy, and the tools. Lends the rules.

#ifndef SOCKGATE_BROKER_POLICY_RULE_REACH_H_
#define SOCKGATE_BROKER_POLICY_RULE_REACH_H_

#include <cstddef>
#include <vector>

#include "broker/policy/policy.h"
#include "broker/policy/port_union.h"
#include "broker/policy/rule_nest.h"
#include "broker/policy/rule_reader.h"
#include "broker/policy/special_ranges.h"

namespace sockgate {

class RuleReach {
 public:
  RuleReach(const std::vector<PlacedRule>& rules, PolicyMode mode);

  const RuleNest& nest() const { return nest_; }

  // False: no allow rule allows any of what the `index`th rule denies.
  bool MayDenySomething(size_t index) const;

  // The form in which all of the range stands for IPv4 addresses that no allow rule reaches at the
  // ports of `rule`; empty: they may be reached, or it does not.
  absl::string_view ClosedEmbedding(const Cidr& cidr, const Rule& rule) const;

  // The special ranges within this one: the widest of those that no rule names.
  std::vector<const SpecialRange*> UnnamedParts(const Cidr& cidr) const;

 private:
  void Count(const Rule& allow);
  bool Allows(size_t index) const { return rules_[index].rule.decision == Decision::kAllow; }
  bool MayReachRange(size_t index, const Cidr& cidr) const;
  bool MayLookUp(size_t index) const;
  bool MayReachV4(const IpAddress& address, const Rule& rule) const;

  const std::vector<PlacedRule>& rules_;
  const PolicyMode mode_;
  const RuleNest nest_;

  // The ports of the allow rules,
  PortUnion to_names_;    // on hosts and public addresses
  PortUnion to_private_;  // on hosts, that say private
  PortUnion to_ranges_;   // on ranges
  PortUnion to_v4_;       // on IPv4 ranges
  PortUnion to_public_;   // on whatever has public addresses in it
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_RULE_REACH_H_
