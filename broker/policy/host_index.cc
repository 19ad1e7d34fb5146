#include "broker/policy/host_index.h"

#include <algorithm>

namespace sockgate {
namespace {

size_t CountLabels(absl::string_view name) {
  return 1 + static_cast<size_t>(std::count(name.begin(), name.end(), '.'));
}

// Numbers of rules.
struct Numbers {
  std::vector<uint32_t> itself;
  std::vector<uint32_t> below;
};

}  // namespace

HostIndex::HostIndex(const std::vector<Rule>& rules, PlaceBook* places) {
  absl::flat_hash_map<absl::string_view, Numbers> by_name;
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto* pattern = std::get_if<HostPattern>(&rules[i].target);
    if (pattern == nullptr) continue;
    Numbers& numbers = by_name[pattern->name().text()];
    (pattern->covers_subdomains() ? numbers.below : numbers.itself)
        .push_back(static_cast<uint32_t>(i + 1));
  }
  places_.reserve(by_name.size());
  for (const auto& [name, numbers] : by_name) {
    places_[name] = {places->Add(rules, numbers.itself), places->Add(rules, numbers.below)};
    label_counts_.set(CountLabels(name));
  }
}

}  // namespace sockgate
