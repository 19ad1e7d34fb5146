// TomlComplaint: what toml11 says when it refuses a document, which is a small picture of several
// lines, as one sentence with a place.
//
// Process: broker, when it loads a policy, and the tools. Pure.

#ifndef SOCKGATE_BROKER_POLICY_TOML_COMPLAINT_H_
#define SOCKGATE_BROKER_POLICY_TOML_COMPLAINT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "broker/policy/source_text.h"

namespace sockgate {

struct TomlComplaint {
  size_t offset = 0;  // into the text
  std::string message;
  std::string advice;
};

// `what` is std::exception::what() of what toml11 threw.
TomlComplaint ReadTomlComplaint(absl::string_view what, const SourceText& source);

// Where the key of the value at `offset` begins, or `offset` when no key stands before it.
size_t StartOfKey(absl::string_view text, size_t offset);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_TOML_COMPLAINT_H_
