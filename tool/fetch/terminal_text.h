// TerminalText: text that others chose, made fit for a terminal without losing its letters.
//
// Process: the launcher. Pure; keeps up to three bytes between two pieces.
// Hostile input: the text. What comes out is UTF-8 in which nothing moves the cursor, changes a
// colour or a title, asks the terminal for an answer, or turns the direction of what follows: control
// characters (C0 but for tab and line feed, DEL, C1), directional ones and bytes that are no UTF-8
// are spelled out as \xHH.
//
// Sources: RFC 3629, section 4; https://www.unicode.org/reports/tr9/ (2.1 to 2.6).

#ifndef SOCKGATE_TOOL_FETCH_TERMINAL_TEXT_H_
#define SOCKGATE_TOOL_FETCH_TERMINAL_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace sockgate {

class TerminalText {
 public:
  // What of the text so far can be shown now.
  std::string Add(absl::string_view piece);
  // What is left: the beginning of a character that never ended.
  std::string End();

 private:
  std::string open_;
};

// Of one line: line feeds and tabs are spelled out too.
std::string TerminalLine(absl::string_view text);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_TERMINAL_TEXT_H_
