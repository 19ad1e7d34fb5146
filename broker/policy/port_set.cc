#include "broker/policy/port_set.h"

#include "absl/strings/numbers.h"
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
  return set;
}

}  // namespace sockgate
