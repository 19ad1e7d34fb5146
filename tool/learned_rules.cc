#include "tool/learned_rules.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/policy/embedded_v4.h"
#include "proto/endpoint.h"
#include "tool/cidr_merge.h"
#include "tool/toml_string.h"

namespace sockgate {
namespace {

// What one address or host, or one rule, is about besides the ports.
struct Evidence {
  Sightings sightings;
  std::map<Denial, std::vector<std::string>> denied;
  std::set<IpAddress, AddressOrder> inside;

  void Add(const Evidence& other) {
    sightings.Add(other.sightings);
    for (const auto& [denial, targets] : other.denied) {
      std::vector<std::string>& all = denied[denial];
      all.insert(all.end(), targets.begin(), targets.end());
    }
    inside.insert(other.inside.begin(), other.inside.end());
  }

  void Add(const std::string& target, const Seen& seen) {
    sightings.Add(seen.sightings);
    if (seen.denial.any()) denied[seen.denial].push_back(target);
  }
};

struct Use {
  std::vector<uint16_t> ports;  // sorted
  Evidence evidence;
};

// Of one address or host.
struct Uses {
  Use tcp;
  Use udp;

  Use& operator[](Transport transport) { return transport == Transport::kStream ? tcp : udp; }
};

using UsesByAddress = std::map<IpAddress, Uses, AddressOrder>;

// The ports, and whether TCP and UDP are meant. Rules come in this order.
struct RuleKey {
  std::vector<uint16_t> ports;
  bool tcp;
  bool udp;

  friend bool operator<(const RuleKey& a, const RuleKey& b) {
    return std::tie(b.tcp, a.udp, a.ports) < std::tie(a.tcp, b.udp, b.ports);
  }
};

// Those who are used alike.
template <typename Subject>
struct Group {
  std::vector<Subject> subjects;
  Evidence evidence;
};

std::vector<PortSet::Range> MergePorts(const std::vector<uint16_t>& ports) {
  std::vector<PortSet::Range> ranges;
  for (const uint16_t port : ports) {
    if (!ranges.empty() && ranges.back().last + 1 == port) {
      ranges.back().last = port;
    } else {
      ranges.push_back({port, port});
    }
  }
  return ranges;
}

// Merged apart by their narrowest special range, so that no range is wider than the one that it has
// to lie in, nor holds a narrower one.
std::vector<LearnedRange> MergeRanges(const std::vector<IpAddress>& addresses) {
  std::map<const SpecialRange*, std::vector<IpAddress>> by_special;
  for (const IpAddress& address : addresses) {
    by_special[FindSpecialRange(address)].push_back(address);
  }
  std::vector<LearnedRange> ranges;
  for (auto& [special, inside] : by_special) {
    for (const Cidr& range : MergeAddresses(std::move(inside))) ranges.push_back({range, special});
  }
  std::sort(ranges.begin(), ranges.end(), [](const LearnedRange& a, const LearnedRange& b) {
    return AddressOrder()(a.range.base(), b.range.base());
  });
  return ranges;
}

Transports TransportsOf(const RuleKey& key) {
  if (!key.udp) return Transports::Tcp();
  return key.tcp ? Transports::Both() : Transports::Udp();
}

// One rule for each group; fill(group's subjects, &rule) says whom it is about.
template <typename Subject, typename Order, typename Fill>
void AddRules(const std::map<Subject, Uses, Order>& all_uses, Fill fill, LearnedRules* learned) {
  std::map<RuleKey, Group<Subject>> groups;
  const auto add = [&](const Subject& subject, const Use& use, bool tcp, bool udp) {
    if (use.ports.empty()) return;
    Group<Subject>& group = groups[{use.ports, tcp, udp}];
    if (group.subjects.empty() || group.subjects.back() != subject) {
      group.subjects.push_back(subject);
    }
    group.evidence.Add(use.evidence);
  };
  for (const auto& [subject, uses] : all_uses) {
    const bool same = uses.tcp.ports == uses.udp.ports;
    add(subject, uses.tcp, true, same);
    add(subject, uses.udp, same, true);
  }
  for (auto& [key, group] : groups) {
    LearnedRule rule;
    fill(group.subjects, &rule);
    rule.ports = MergePorts(key.ports);
    rule.transports = TransportsOf(key);
    rule.sightings = group.evidence.sightings;
    rule.denied = std::move(group.evidence.denied);
    for (const IpAddress& one : group.evidence.inside) rule.inside.push_back(one.ToString());
    learned->rules.push_back(std::move(rule));
  }
}

void FillRanges(const std::vector<IpAddress>& addresses, LearnedRule* rule) {
  rule->ranges = MergeRanges(addresses);
}

// Why no rule can allow it; empty: one can.
std::string FaultOf(const SeenSocket& name, const Denial& denial) {
  if (name.name.front() == '\0') return "is an abstract UNIX socket";
  if (name.transport != Transport::kStream) return "is a UNIX socket of datagrams";
  if (denial.own) return "is where the broker listens";
  const absl::string_view fault = UnixPath::Fault(name.name);
  if (!fault.empty()) return std::string(fault);
  return TomlString(name.name).has_value() ? "" : "is not UTF-8, as a policy is";
}

// The IPv4 addresses that must be allowed for the sake of IPv6 ones, at ports where they were not
// seen themselves.
UsesByAddress UsesInside(const std::set<SeenPlace>& allowed) {
  std::map<SeenPlace, std::set<IpAddress, AddressOrder>> inside;
  for (const SeenPlace& place : allowed) {
    for (const EmbeddedV4& embedded : FindEmbeddedV4(place.address)) {
      const SeenPlace needed = {embedded.address, place.port, place.transport};
      if (allowed.count(needed) == 0) inside[needed].insert(place.address);
    }
  }
  UsesByAddress uses;
  for (const auto& [place, addresses] : inside) {
    Use& use = uses[place.address][place.transport];
    use.ports.push_back(place.port);
    use.evidence.inside.insert(addresses.begin(), addresses.end());
  }
  return uses;
}

void LearnPlaces(const SeenTargets& seen, LearnedRules* learned) {
  UsesByAddress uses;
  std::set<SeenPlace> allowed;
  for (const auto& [place, what] : seen.places) {
    const Endpoint target = Endpoint::Ip(place.address, place.port);
    std::string fault = FaultOf(place);
    if (!fault.empty()) {
      learned->unreachable.push_back({target.ToString(), std::move(fault), what.sightings});
      continue;
    }
    allowed.insert(place);
    Use& use = uses[place.address][place.transport];
    use.ports.push_back(place.port);
    use.evidence.Add(target.ToString(), what);
  }
  AddRules(uses, FillRanges, learned);
  AddRules(UsesInside(allowed), FillRanges, learned);
}

void LearnHosts(const SeenTargets& seen, LearnedRules* learned) {
  std::map<std::string, Uses> uses;
  for (const auto& [host, what] : seen.hosts) {
    Use& use = uses[host.name][host.transport];
    use.ports.push_back(host.port);
    use.evidence.Add(absl::StrCat(host.name, ":", host.port), what);
  }
  const auto fill = [](const std::vector<std::string>& names, LearnedRule* rule) {
    rule->hosts = names;
  };
  AddRules(uses, fill, learned);
}

void LearnSockets(const SeenTargets& seen, LearnedRules* learned) {
  LearnedRule rule;
  Evidence evidence;
  for (const auto& [name, what] : seen.sockets) {
    const Endpoint target = *Endpoint::Unix(name.name);
    std::string fault = FaultOf(name, what.denial);
    if (!fault.empty()) {
      learned->unreachable.push_back({target.ToString(), std::move(fault), what.sightings});
      continue;
    }
    rule.paths.push_back(name.name);
    evidence.Add(target.ToString(), what);
  }
  if (rule.paths.empty()) return;
  rule.sightings = evidence.sightings;
  rule.denied = std::move(evidence.denied);
  learned->rules.push_back(std::move(rule));
}

}  // namespace

LearnedRules LearnedRules::From(const SeenTargets& seen) {
  LearnedRules learned;
  LearnHosts(seen, &learned);
  LearnPlaces(seen, &learned);
  LearnSockets(seen, &learned);
  return learned;
}

}  // namespace sockgate
