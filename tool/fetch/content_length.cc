#include "tool/fetch/content_length.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace sockgate {

uint64_t ContentLength(absl::string_view headers) {
  uint64_t size = 0;
  for (const absl::string_view line : absl::StrSplit(headers, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (absl::EqualsIgnoreCase(parts.first, "Content-Encoding")) return 0;
    if (!absl::EqualsIgnoreCase(parts.first, "Content-Length")) continue;
    if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(parts.second), &size)) return 0;
  }
  return size;
}

}  // namespace sockgate
