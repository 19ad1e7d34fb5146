// TomlString: text as a string of a TOML file, whatever is in it.
//
// Process: the command, unconfined. Pure.
// Hostile input: the bytes; a worker chose them. The result is printable ASCII, so that no
// character that is invisible, or turns the direction of what follows, hides from a reader what a
// rule says.

#ifndef SOCKGATE_TOOL_TOML_STRING_H_
#define SOCKGATE_TOOL_TOML_STRING_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace sockgate {

// With its quotes. Nothing when the bytes are no UTF-8, which a TOML file cannot hold.
std::optional<std::string> TomlString(absl::string_view bytes);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_TOML_STRING_H_
