// PrintableText: text that others chose, fit for a terminal, a table and a line.
//
// Process: the operator's command. Pure.
// Hostile input: the text. What comes out is printable ASCII, a column for each byte: nothing in it
// moves the cursor, changes a colour or a title, ends a line, or turns the direction of what
// follows. A terminal that does not take its input for UTF-8 finds control characters within other
// characters, so those are spelled out too.

#ifndef SOCKGATE_TOOL_PRINTABLE_TEXT_H_
#define SOCKGATE_TOOL_PRINTABLE_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace sockgate {

// Bytes that are not printable ASCII become \xHH; the rest, backslashes among it, stays.
std::string PrintableText(absl::string_view text);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_PRINTABLE_TEXT_H_
