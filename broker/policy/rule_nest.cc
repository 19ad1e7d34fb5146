#include "broker/policy/rule_nest.h"

#include <cstring>
#include <numeric>
#include <utility>

namespace sockgate {
namespace {

// A range comes before all ranges within it, and these come before whatever lies behind it.
bool ComesFirst(const Cidr& a, const Cidr& b) {
  if (a.is_v4() != b.is_v4()) return a.is_v4();
  const int order = std::memcmp(a.base().data(), b.base().data(), a.base().size());
  return order != 0 ? order < 0 : a.prefix() < b.prefix();
}

}  // namespace

RuleNest::RuleNest(const std::vector<PlacedRule>& rules) : rules_(rules), range_of_(rules.size()) {
  AddRanges();
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    const Rule::Target& target = rules_[i].rule.target;
    if (std::holds_alternative<HostPattern>(target)) AddName(i);
    if (std::holds_alternative<PublicHosts>(target)) on_public_.push_back(i);
    if (const auto* unix_path = std::get_if<UnixPath>(&target)) {
      paths_[unix_path->path].push_back(i);
    }
  }
}

void RuleNest::AddRanges() {
  std::vector<std::pair<Cidr, uint32_t>> sorted;
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    if (const auto* cidr = std::get_if<Cidr>(&rules_[i].rule.target)) sorted.push_back({*cidr, i});
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return ComesFirst(a.first, b.first); });
  for (const auto& [cidr, index] : sorted) {
    const auto next = static_cast<uint32_t>(ranges_.size());
    if (ranges_.empty() || !(ranges_.back().cidr == cidr)) {
      uint32_t around = ranges_.empty() ? kNone : next - 1;
      while (around != kNone && !ranges_[around].cidr.Contains(cidr)) {
        around = ranges_[around].around;
      }
      ranges_.push_back({cidr, {}, around});
    }
    ranges_.back().rules.push_back(index);
    range_of_[index] = static_cast<uint32_t>(ranges_.size() - 1);
  }
}

void RuleNest::AddName(uint32_t index) {
  const auto& pattern = std::get<HostPattern>(rules_[index].rule.target);
  absl::string_view name = pattern.name().text();
  Name& own = names_[name];
  (pattern.covers_subdomains() ? own.below : own.itself).push_back(index);
  for (name = ParentName(name); !name.empty(); name = ParentName(name)) {
    Bucket& within = names_[name].within;
    if (within.size() <= kMostCandidates) within.push_back(index);
  }
}

size_t RuleNest::LastFrom(const Cidr& cidr) const {
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), cidr,
                       [](const Cidr& a, const Range& b) { return ComesFirst(a, b.cidr); });
  return after == ranges_.begin() ? ranges_.size()
                                  : static_cast<size_t>(after - ranges_.begin() - 1);
}

bool RuleNest::NamesPartOf(const Cidr& cidr) const {
  const auto first =
      std::lower_bound(ranges_.begin(), ranges_.end(), cidr,
                       [](const Range& a, const Cidr& b) { return ComesFirst(a.cidr, b); });
  return first != ranges_.end() && cidr.Contains(first->cidr);
}

}  // namespace sockgate
