// How two rules stand to each other, and one rule to the special-purpose ranges.
//
// Process: broker, when it loads a policy, and the tools. Pure.

#ifndef SOCKGATE_BROKER_POLICY_RULE_RELATION_H_
#define SOCKGATE_BROKER_POLICY_RULE_RELATION_H_

#include "broker/policy/rule.h"
#include "broker/policy/special_ranges.h"

namespace sockgate {

bool IsUnix(const Rule& rule);

// Whether each port and transport of `b` is one of `a`; for UNIX paths always.
bool CoversPorts(const Rule& a, const Rule& b);
// Whether they have a port and a transport in common; for UNIX paths always.
bool SharesPorts(const Rule& a, const Rule& b);

// Whether `wide` does all that `rule` does, if the target of `wide` is the same or around that of
// `rule`, or `wide` is on public addresses. Both deny, or both allow.
bool Covers(const Rule& wide, const Rule& rule);
// Whether the deny rule `deny` leaves nothing of what `allow` allows; the same condition.
bool Undoes(const Rule& deny, const Rule& allow);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_RULE_RELATION_H_
