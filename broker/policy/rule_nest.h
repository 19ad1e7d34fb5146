// RuleNest: which targets of a role's rules lie within which, so that 100,000 rules are compared in
// less than quadratic time. For the checks of a policy file, not for decisions: of many rules on
// one target it looks at the first kMostCandidates.
//
// Process: broker, when it loads a policy, and the tools. Lends the rules.

#ifndef SOCKGATE_BROKER_POLICY_RULE_NEST_H_
#define SOCKGATE_BROKER_POLICY_RULE_NEST_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "broker/policy/cidr.h"
#include "broker/policy/rule_reader.h"

namespace sockgate {

class RuleNest {
 public:
  using Bucket = std::vector<uint32_t>;  // indices of rules
  static constexpr size_t kMostCandidates = 64;

  explicit RuleNest(const std::vector<PlacedRule>& rules);

  // Calls visit(index) for the rules with the target of the `index`th and for those with a wider
  // one of its kind, the `index`th itself too, until it returns true. Whether it did.
  template <typename Visit>
  bool AnyAround(size_t index, Visit visit) const;
  // The same for the rules on ranges that contain this one, which may be no rule's.
  template <typename Visit>
  bool AnyAround(const Cidr& cidr, Visit visit) const;

  // The same for the rules with a narrower target than the `index`th. True, too, when there are too
  // many to look at.
  template <typename Visit>
  bool MaybeAnyWithin(size_t index, Visit visit) const;

  // Whether a rule is on this range or on one within it.
  bool NamesPartOf(const Cidr& cidr) const;

  const Bucket& on_public() const { return on_public_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  // All rules with one range.
  struct Range {
    Cidr cidr;
    Bucket rules;
    uint32_t around = kNone;
  };
  // All rules with one name. `within`: those on names and patterns below it.
  struct Name {
    Bucket itself;
    Bucket below;
    Bucket within;
  };

  void AddRanges();
  void AddName(uint32_t index);

  // The last range that begins at the address or before; ranges_.size() when none does.
  size_t LastFrom(const Cidr& cidr) const;

  template <typename Visit>
  static bool Any(const Bucket& bucket, Visit visit) {
    const size_t size = std::min(bucket.size(), kMostCandidates);
    return std::any_of(bucket.begin(), bucket.begin() + static_cast<ptrdiff_t>(size), visit);
  }

  template <typename Visit>
  bool AnyFrom(uint32_t range, Visit visit) const {
    for (; range != kNone; range = ranges_[range].around) {
      if (Any(ranges_[range].rules, visit)) return true;
    }
    return false;
  }

  template <typename Visit>
  bool AnyAroundName(const HostPattern& pattern, Visit visit) const;

  const std::vector<PlacedRule>& rules_;
  std::vector<Range> ranges_;  // sorted: IPv4 first, by first address, wider before narrower
  std::vector<uint32_t> range_of_;
  absl::flat_hash_map<absl::string_view, Name> names_;
  absl::flat_hash_map<absl::string_view, Bucket> paths_;
  Bucket on_public_;
};

// The name without its first label; empty after the last.
inline absl::string_view ParentName(absl::string_view name) {
  const size_t dot = name.find('.');
  return dot == absl::string_view::npos ? absl::string_view() : name.substr(dot + 1);
}

template <typename Visit>
bool RuleNest::AnyAround(size_t index, Visit visit) const {
  const Rule::Target& target = rules_[index].rule.target;
  if (std::holds_alternative<Cidr>(target)) return AnyFrom(range_of_[index], visit);
  if (const auto* pattern = std::get_if<HostPattern>(&target)) {
    return AnyAroundName(*pattern, visit);
  }
  if (const auto* unix_path = std::get_if<UnixPath>(&target)) {
    return Any(paths_.at(unix_path->path), visit);
  }
  return Any(on_public_, visit);
}

template <typename Visit>
bool RuleNest::AnyAround(const Cidr& cidr, Visit visit) const {
  size_t last = LastFrom(cidr);
  while (last < ranges_.size() && !ranges_[last].cidr.Contains(cidr)) last = ranges_[last].around;
  return last < ranges_.size() && AnyFrom(static_cast<uint32_t>(last), visit);
}

template <typename Visit>
bool RuleNest::AnyAroundName(const HostPattern& pattern, Visit visit) const {
  absl::string_view name = pattern.name().text();
  const Name& own = names_.at(name);
  if (Any(pattern.covers_subdomains() ? own.below : own.itself, visit)) return true;
  for (name = ParentName(name); !name.empty(); name = ParentName(name)) {
    const auto found = names_.find(name);
    if (found != names_.end() && Any(found->second.below, visit)) return true;
  }
  return false;
}

template <typename Visit>
bool RuleNest::MaybeAnyWithin(size_t index, Visit visit) const {
  const Rule::Target& target = rules_[index].rule.target;
  if (const auto* pattern = std::get_if<HostPattern>(&target)) {
    if (!pattern->covers_subdomains()) return false;
    const Bucket& within = names_.at(pattern->name().text()).within;
    return within.size() > kMostCandidates || Any(within, visit);
  }
  if (!std::holds_alternative<Cidr>(target)) return false;
  const uint32_t outer = range_of_[index];
  for (uint32_t inner = outer + 1; inner < ranges_.size(); ++inner) {
    if (!ranges_[outer].cidr.Contains(ranges_[inner].cidr)) return false;
    if (inner - outer > kMostCandidates || Any(ranges_[inner].rules, visit)) return true;
  }
  return false;
}

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_RULE_NEST_H_
