// RequestBody and RequestHeaders: what -d and -H say, with the files that they name.
//
// Process: the launcher, before any worker: the files are read here. Blocking: as that does.
// Trusted but checked: what is written; a header has no line breaks, so that a value which a script
// pastes makes no second one.

#ifndef SOCKGATE_TOOL_FETCH_REQUEST_BODY_H_
#define SOCKGATE_TOOL_FETCH_REQUEST_BODY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tool/fetch/fetch_options.h"

namespace sockgate {

// The parts, joined by '&'.
absl::StatusOr<std::string> ReadRequestBody(const std::vector<BodyPart>& parts);

// "Name: value", "Name:" to leave one of libcurl's out, "Name;" for one without a value, "@FILE"
// for those in a file, one a line.
absl::StatusOr<std::vector<std::string>> ReadRequestHeaders(const std::vector<std::string>& texts);

// Whether a method is one word of RFC 9110's letters.
bool IsMethod(const std::string& text);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_REQUEST_BODY_H_
