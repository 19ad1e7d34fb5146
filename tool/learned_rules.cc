#include "tool/learned_rules.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "broker/policy/embedded_v4.h"
#include "proto/endpoint.h"
#include "tool/cidr_merge.h"
#include "tool/toml_string.h"

namespace sockgate {
namespace {

// What one address, or one rule, is about besides the ports.
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

  void Add(const Endpoint& target, const Seen& seen) {
    sightings.Add(seen.sightings);
    if (seen.denial.any()) denied[seen.denial].push_back(target.ToString());
  }
};

struct Use {
  std::vector<uint16_t> ports;  // sorted
  Evidence evidence;
};

// Of one address.
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

struct Group {
  std::vector<IpAddress> addresses;
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

void AddRules(const UsesByAddress& all_uses, LearnedRules* learned) {
  std::map<RuleKey, Group> groups;
  const auto add = [&](const IpAddress& address, const Use& use, bool tcp, bool udp) {
    if (use.ports.empty()) return;
    Group& group = groups[{use.ports, tcp, udp}];
    if (group.addresses.empty() || group.addresses.back() != address) {
      group.addresses.push_back(address);
    }
    group.evidence.Add(use.evidence);
  };
  for (const auto& [address, uses] : all_uses) {
    const bool same = uses.tcp.ports == uses.udp.ports;
    add(address, uses.tcp, true, same);
    add(address, uses.udp, same, true);
  }
  for (auto& [key, group] : groups) {
    LearnedRule rule;
    rule.ranges = MergeRanges(group.addresses);
    rule.ports = MergePorts(key.ports);
    rule.transports = TransportsOf(key);
    rule.sightings = group.evidence.sightings;
    rule.denied = std::move(group.evidence.denied);
    for (const IpAddress& one : group.evidence.inside) rule.inside.push_back(one.ToString());
    learned->rules.push_back(std::move(rule));
  }
}

// Why no rule can allow it; empty: one can.
std::string FaultOf(const SeenPlace& place) {
  if (place.address.is_unspecified()) return "means loopback to the kernel";
  if (place.port == 0) return "has no port";
  for (const EmbeddedV4& embedded : FindEmbeddedV4(place.address)) {
    if (embedded.address.is_unspecified()) return "stands for 0.0.0.0";
  }
  return "";
}

std::string FaultOf(const SeenName& name, const Denial& denial) {
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
    use.evidence.Add(target, what);
  }
  AddRules(uses, learned);
  AddRules(UsesInside(allowed), learned);
}

void LearnNames(const SeenTargets& seen, LearnedRules* learned) {
  LearnedRule rule;
  Evidence evidence;
  for (const auto& [name, what] : seen.names) {
    const Endpoint target = *Endpoint::Unix(name.name);
    std::string fault = FaultOf(name, what.denial);
    if (!fault.empty()) {
      learned->unreachable.push_back({target.ToString(), std::move(fault), what.sightings});
      continue;
    }
    rule.paths.push_back(name.name);
    evidence.Add(target, what);
  }
  if (rule.paths.empty()) return;
  rule.sightings = evidence.sightings;
  rule.denied = std::move(evidence.denied);
  learned->rules.push_back(std::move(rule));
}

}  // namespace

LearnedRules LearnedRules::From(const SeenTargets& seen) {
  LearnedRules learned;
  LearnPlaces(seen, &learned);
  LearnNames(seen, &learned);
  return learned;
}

}  // namespace sockgate
