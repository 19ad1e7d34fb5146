// A finding as one line of text, as compilers write theirs.
//
// Process: broker, and the tools. Pure.

#ifndef SOCKGATE_BROKER_POLICY_FINDING_TEXT_H_
#define SOCKGATE_BROKER_POLICY_FINDING_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "broker/policy/finding.h"

namespace sockgate {

// "error", "warning".
absl::string_view Word(Finding::Severity severity);

// "FILE:LINE:COLUMN: error: MESSAGE (ADVICE)", without line and column when the finding is about
// the file as a whole, and without a line's end.
std::string FindingText(absl::string_view file, const Finding& finding);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_FINDING_TEXT_H_
