#include "tool/seen_targets.h"

#include <algorithm>
#include <tuple>

#include "broker/policy/embedded_v4.h"
#include "broker/policy/special_ranges.h"
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

std::string FaultOf(const SeenPlace& place) {
  if (place.address.is_unspecified()) return "means loopback to the kernel";
  if (place.port == 0) return "has no port";
  for (const EmbeddedV4& embedded : FindEmbeddedV4(place.address)) {
    if (embedded.address.is_unspecified()) return "stands for 0.0.0.0";
  }
  return "";
}

bool operator<(const SeenHost& a, const SeenHost& b) {
  return std::tie(a.name, a.transport, a.port) < std::tie(b.name, b.transport, b.port);
}

bool operator<(const SeenSocket& a, const SeenSocket& b) {
  return std::tie(a.name, a.transport) < std::tie(b.name, b.transport);
}

namespace {

// Whether no rule on a host leads there that does not say private = true.
bool IsSpecial(const IpAddress& address) {
  const EmbeddedV4List within = FindEmbeddedV4(address);
  return FindSpecialRange(address) != nullptr ||
         std::any_of(within.begin(), within.end(), [](const EmbeddedV4& one) {
           return FindSpecialRange(one.address) != nullptr;
         });
}

void Note(const SeenDecision& decision, Seen* seen) {
  seen->sightings.Add({1, decision.date, decision.date});
  if (!decision.deny_rule && !decision.own) return;
  seen->denial = {decision.policy, decision.rule, decision.line, decision.own};
}

}  // namespace

void SeenTargets::Add(const SeenDecision& decision) {
  const Endpoint& target = decision.target;
  const Transport transport = decision.transport;
  if (!target.is_ip()) {
    Note(decision, &sockets[{std::string(target.unix_name()), transport}]);
    return;
  }
  const SeenPlace place = {target.ip(), target.port(), transport};
  const bool reachable = FaultOf(place).empty();
  if (!reachable || decision.names.empty() || IsSpecial(place.address)) {
    Note(decision, &places[place]);
  }
  if (!reachable) return;
  for (const std::string& name : decision.names) {
    Note(decision, &hosts[{name, place.port, transport}]);
  }
}

}  // namespace sockgate
