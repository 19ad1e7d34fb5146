// ContentLength: how long a body will be when it is written, as the head of its response says.
//
// Process: the launcher. Pure. Hostile input: the head; the answer is for a progress bar.

#ifndef SOCKGATE_TOOL_FETCH_CONTENT_LENGTH_H_
#define SOCKGATE_TOOL_FETCH_CONTENT_LENGTH_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace sockgate {

// 0: it does not say, or speaks of what has yet to be decoded.
uint64_t ContentLength(absl::string_view headers);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_CONTENT_LENGTH_H_
