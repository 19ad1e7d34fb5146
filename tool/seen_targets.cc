#include "tool/seen_targets.h"

#include <algorithm>
#include <tuple>

#include "tool/cidr_merge.h"

namespace sockgate {

void Sightings::Add(const Sightings& other) {
  times += other.times;
  if (other.first == 0) return;
  first = first == 0 ? other.first : std::min(first, other.first);
  last = std::max(last, other.last);
}

bool operator<(const Denial& a, const Denial& b) {
  return std::tie(a.policy, a.rule, a.line, a.own) < std::tie(b.policy, b.rule, b.line, b.own);
}

bool operator<(const SeenPlace& a, const SeenPlace& b) {
  if (a.address != b.address) return AddressOrder()(a.address, b.address);
  return std::tie(a.transport, a.port) < std::tie(b.transport, b.port);
}

bool operator<(const SeenName& a, const SeenName& b) {
  return std::tie(a.name, a.transport) < std::tie(b.name, b.transport);
}

void SeenTargets::Add(const SeenDecision& decision) {
  const Endpoint& target = decision.target;
  Seen& seen = target.is_ip() ? places[{target.ip(), target.port(), decision.transport}]
                              : names[{std::string(target.unix_name()), decision.transport}];
  seen.sightings.Add({1, decision.date, decision.date});
  if (!decision.deny_rule && !decision.own) return;
  seen.denial = {decision.policy, decision.rule, decision.line, decision.own};
}

}  // namespace sockgate
