#include "broker/policy/hidden_characters.h"

#include <algorithm>
#include <array>

namespace sockgate {
namespace {

// First and last of each range, in UTF-8, where the order of bytes is that of the characters.
struct Range {
  absl::string_view first;
  absl::string_view last;
};

constexpr std::array<Range, 6> kHidden = {{
    {"\xc2\x80", "\xc2\x9f"},          // U+0080 to U+009F
    {"\xd8\x9c", "\xd8\x9c"},          // U+061C
    {"\xe2\x80\x8e", "\xe2\x80\x8f"},  // U+200E, U+200F
    {"\xe2\x80\xa8", "\xe2\x80\xae"},  // U+2028 to U+202E
    {"\xe2\x81\xa6", "\xe2\x81\xa9"},  // U+2066 to U+2069
    {"\xef\xbb\xbf", "\xef\xbb\xbf"},  // U+FEFF
}};

}  // namespace

bool BeginsHidden(absl::string_view utf8) {
  return std::any_of(kHidden.begin(), kHidden.end(), [&](const Range& range) {
    const absl::string_view begin = utf8.substr(0, range.first.size());
    return range.first <= begin && begin <= range.last;
  });
}

bool HasHidden(absl::string_view utf8) {
  for (size_t i = 0; i < utf8.size(); ++i) {
    if (BeginsHidden(utf8.substr(i))) return true;
  }
  return false;
}

}  // namespace sockgate
