// Characters that make a text look like another one: they end a line, reorder it or vanish on the
// screen of whoever reviews a policy, and are nothing of the kind to TOML.
//
// Process: broker, when it loads a policy, and the tools. Pure.

#ifndef SOCKGATE_BROKER_POLICY_HIDDEN_CHARACTERS_H_
#define SOCKGATE_BROKER_POLICY_HIDDEN_CHARACTERS_H_

#include "absl/strings/string_view.h"

namespace sockgate {

// Whether the UTF-8 text begins with a control of ISO 6429's upper half (U+0080 to U+009F), a line
// or paragraph separator, a control of the bidirectional algorithm (UAX 9), or a byte order mark.
bool BeginsHidden(absl::string_view utf8);

// Whether there is one anywhere in it.
bool HasHidden(absl::string_view utf8);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_HIDDEN_CHARACTERS_H_
