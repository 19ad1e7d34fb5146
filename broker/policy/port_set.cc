#include "broker/policy/port_set.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace sockgate {
namespace {

std::optional<uint16_t> ParsePort(absl::string_view text) {
  uint32_t port;
  if (text.empty() || text.size() > 5 || text[0] == '0') return std::nullopt;
  if (text.find_first_not_of("0123456789") != absl::string_view::npos) return std::nullopt;
  if (!absl::SimpleAtoi(text, &port) || port > UINT16_MAX) return std::nullopt;
  return static_cast<uint16_t>(port);
}

}  // namespace

std::optional<PortSet::Range> PortSet::ParseRange(absl::string_view text) {
  if (text == "*") return Range{1, UINT16_MAX};
  const size_t dash = text.find('-');
  const auto first = ParsePort(text.substr(0, dash));
  const auto last = dash == absl::string_view::npos ? first : ParsePort(text.substr(dash + 1));
  if (!first.has_value() || !last.has_value() || *first > *last) return std::nullopt;
  return Range{*first, *last};
}

std::optional<PortSet> PortSet::Parse(absl::string_view text) {
  PortSet set;
  for (const absl::string_view item : absl::StrSplit(text, ',')) {
    const auto range = ParseRange(item);
    if (!range.has_value()) return std::nullopt;
    set.ranges_.push_back(*range);
  }
  set.Merge();
  return set;
}

// Sorted, and what touches is one.
void PortSet::Merge() {
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> merged;
  for (const Range& range : ranges_) {
    if (merged.empty() || range.first > merged.back().last + 1) {
      merged.push_back(range);
    } else {
      merged.back().last = std::max(merged.back().last, range.last);
    }
  }
  ranges_ = std::move(merged);
}

bool PortSet::Contains(uint16_t port) const {
  const auto range = std::lower_bound(ranges_.begin(), ranges_.end(), port,
                                      [](const Range& r, uint16_t p) { return r.last < p; });
  return range != ranges_.end() && range->first <= port;
}

bool PortSet::Covers(const PortSet& other) const {
  auto mine = ranges_.begin();
  for (const Range& theirs : other.ranges_) {
    while (mine != ranges_.end() && mine->last < theirs.last) ++mine;
    if (mine == ranges_.end() || mine->first > theirs.first) return false;
  }
  return true;
}

bool PortSet::Overlaps(const PortSet& other) const {
  auto mine = ranges_.begin();
  for (const Range& theirs : other.ranges_) {
    while (mine != ranges_.end() && mine->last < theirs.first) ++mine;
    if (mine != ranges_.end() && mine->first <= theirs.last) return true;
  }
  return false;
}

std::string PortSet::ToString() const {
  if (all()) return "*";
  return absl::StrJoin(ranges_, ",", [](std::string* out, const Range& range) {
    absl::StrAppend(out, range.first);
    if (range.last != range.first) absl::StrAppend(out, "-", range.last);
  });
}

}  // namespace sockgate
