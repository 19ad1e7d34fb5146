#include "broker/policy/findings.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "broker/policy/hidden_characters.h"

namespace sockgate {

void Findings::Error(size_t offset, std::string message, std::string advice) {
  has_error_ = true;
  Add(Finding::Severity::kError, offset, std::move(message), std::move(advice));
}

void Findings::Warn(size_t offset, std::string message, std::string advice) {
  Add(Finding::Severity::kWarning, offset, std::move(message), std::move(advice));
}

void Findings::Add(Finding::Severity severity, size_t offset, std::string message,
                   std::string advice) {
  const SourceText::Position at = source_->At(offset);
  found_.push_back({severity, at.line, at.column, std::move(message), std::move(advice)});
}

std::vector<Finding> Findings::Take() {
  std::stable_sort(found_.begin(), found_.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return std::move(found_);
}

std::string Quoted(absl::string_view text) {
  constexpr size_t kMostBytes = 80;
  const bool cut = text.size() > kMostBytes;
  const absl::string_view begin = text.substr(0, kMostBytes);
  if (HasHidden(begin)) return absl::StrCat("'", absl::CHexEscape(begin), cut ? "...'" : "'");
  std::string shown = absl::Utf8SafeCHexEscape(begin);
  // A character that was cut in two.
  while (cut && !shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xC0) == 0x80) {
    shown.pop_back();
  }
  while (cut && !shown.empty() && static_cast<unsigned char>(shown.back()) >= 0xC0) {
    shown.pop_back();
  }
  return absl::StrCat("'", shown, cut ? "...'" : "'");
}

}  // namespace sockgate
