#include "broker/policy/port_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

// What a rule may say of a port, once for each transport.
enum Voice : uint8_t { kDenies, kAllows, kAllowsPrivate, kVoices };

Voice VoiceOf(const Rule& rule) {
  if (rule.decision == Decision::kDeny) return kDenies;
  return rule.private_addresses ? kAllowsPrivate : kAllows;
}

// Where a rule begins or ceases to hold.
struct Edge {
  uint32_t port;
  bool begins;
  size_t voice;
  uint32_t number;
};

void AddEdges(const Rule& rule, uint32_t number, std::vector<Edge>* edges) {
  for (const Transport transport : {Transport::kStream, Transport::kDatagram}) {
    if (!rule.transports.Contains(transport)) continue;
    const size_t voice = VoiceOf(rule) + (transport == Transport::kStream ? 0 : kVoices);
    for (const PortSet::Range& range : rule.ports.ranges()) {
      edges->push_back({range.first, true, voice, number});
      edges->push_back({range.last + 1U, false, voice, number});
    }
  }
}

// For each voice the rules that hold at the port that a sweep over the edges has reached. A rule
// whose ports are named twice holds twice.
class Holding {
 public:
  void Pass(const Edge& edge) {
    std::multiset<uint32_t>& numbers = numbers_[edge.voice];
    if (edge.begins) {
      numbers.insert(edge.number);
    } else {
      numbers.erase(numbers.find(edge.number));
    }
  }

  PortRules tcp() const { return From(0); }
  PortRules udp() const { return From(kVoices); }

 private:
  uint32_t First(size_t voice) const {
    return numbers_[voice].empty() ? 0 : *numbers_[voice].begin();
  }
  PortRules From(size_t voice) const {
    return {First(voice + kDenies), First(voice + kAllows), First(voice + kAllowsPrivate)};
  }

  std::array<std::multiset<uint32_t>, size_t{2} * kVoices> numbers_;
};

}  // namespace

PortTable::PortTable(const std::vector<const Rule*>& rules) {
  std::vector<Edge> edges;
  for (size_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = *rules[i];
    const auto number = static_cast<uint32_t>(i + 1);
    AddEdges(rule, number, &edges);
    const bool denies = rule.decision == Decision::kDeny;
    const bool all = rule.ports.all() && rule.transports.Contains(Transports::Both());
    if (!denies && allows_any_ == 0) allows_any_ = number;
    if (denies && all && denies_all_ == 0) denies_all_ = number;
  }
  std::sort(edges.begin(), edges.end(),
            [](const Edge& a, const Edge& b) { return a.port < b.port; });
  Holding holding;
  for (size_t i = 0; i < edges.size();) {
    const uint32_t port = edges[i].port;
    for (; i < edges.size() && edges[i].port == port; ++i) holding.Pass(edges[i]);
    if (port > UINT16_MAX) break;
    segments_.push_back({static_cast<uint16_t>(port), holding.tcp(), holding.udp()});
  }
}

PortRules PortTable::Find(uint16_t port, Transport transport) const {
  const auto next = std::upper_bound(
      segments_.begin(), segments_.end(), port,
      [](uint16_t wanted, const Segment& segment) { return wanted < segment.first; });
  if (next == segments_.begin()) return {};
  const Segment& segment = *(next - 1);
  return transport == Transport::kStream ? segment.tcp : segment.udp;
}

std::string PortTable::Fingerprint() const {
  std::string text = absl::StrCat(allows_any_, " ", denies_all_);
  for (const Segment& segment : segments_) {
    absl::StrAppend(&text, ";", segment.first);
    for (const PortRules& rules : {segment.tcp, segment.udp}) {
      absl::StrAppend(&text, " ", rules.denies, " ", rules.allows, " ", rules.allows_private);
    }
  }
  return text;
}

}  // namespace sockgate
