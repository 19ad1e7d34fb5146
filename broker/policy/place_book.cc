#include "broker/policy/place_book.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace sockgate {

// The first table is that of a place without rules.
PlaceBook::PlaceBook() { tables_.push_back({PortTable({}), true}); }

Place PlaceBook::Add(const std::vector<Rule>& rules, const std::vector<uint32_t>& numbers) {
  if (numbers.empty()) return {};
  std::vector<const Rule*> here;
  for (const uint32_t number : numbers) here.push_back(&rules[number - 1]);
  PortTable ports(here);
  const bool single = numbers.size() == 1;
  const std::string key = absl::StrCat(single ? "1 " : "n ", ports.Fingerprint());
  const auto [entry, added] = known_.try_emplace(key, static_cast<uint32_t>(tables_.size()));
  if (added) tables_.push_back({std::move(ports), single});
  if (single) return {entry->second, numbers[0]};
  const auto first = static_cast<uint32_t>(numbers_.size());
  numbers_.insert(numbers_.end(), numbers.begin(), numbers.end());
  return {entry->second, first};
}

}  // namespace sockgate
