#include "broker/policy/finding_text.h"

#include "absl/strings/str_cat.h"

namespace sockgate {

absl::string_view Word(Finding::Severity severity) {
  return severity == Finding::Severity::kError ? "error" : "warning";
}

std::string FindingText(absl::string_view file, const Finding& finding) {
  std::string text{file};
  if (finding.line != 0) absl::StrAppend(&text, ":", finding.line, ":", finding.column);
  absl::StrAppend(&text, ": ", Word(finding.severity), ": ", finding.message);
  if (!finding.advice.empty()) absl::StrAppend(&text, " (", finding.advice, ")");
  return text;
}

}  // namespace sockgate
