#include "broker/policy/source_text.h"

#include <algorithm>

#include "absl/strings/strip.h"

namespace sockgate {
namespace {

constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool ContinuesCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

SourceText::SourceText(absl::string_view text)
    : text_(absl::StripPrefix(text, kByteOrderMark)), line_starts_({0}) {
  for (size_t at = text_.find('\n'); at != absl::string_view::npos; at = text_.find('\n', at + 1)) {
    line_starts_.push_back(at + 1);
  }
}

SourceText::Position SourceText::At(size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const absl::string_view before = text_.substr(*(after - 1), offset - *(after - 1));
  const auto column = std::count_if(before.begin(), before.end(),
                                    [](char byte) { return !ContinuesCharacter(byte); });
  return {static_cast<uint32_t>(after - line_starts_.begin()), static_cast<uint32_t>(column + 1)};
}

absl::string_view SourceText::Line(uint32_t line) const {
  const size_t start = StartOf(line);
  const absl::string_view rest = text_.substr(start, text_.find('\n', start) - start);
  return absl::StripSuffix(rest, "\r");
}

size_t SourceText::StartOf(uint32_t line) const {
  return line == 0 || line > line_starts_.size() ? text_.size() : line_starts_[line - 1];
}

}  // namespace sockgate
