// The look at a policy file before toml11 sees it. That parser is a recursive descent without a
// bound, takes quadratic time on a long line, and its messages lose their place inside strings. So
// what could hurt it, or is better said without it, is refused here.
//
// Process: broker, when it loads a policy, and the tools.

#ifndef SOCKGATE_BROKER_POLICY_TOML_TOKENS_H_
#define SOCKGATE_BROKER_POLICY_TOML_TOKENS_H_

#include <cstddef>

#include "broker/policy/findings.h"
#include "broker/policy/source_text.h"

namespace sockgate {

// Arrays and inline tables within each other. The language needs four.
inline constexpr size_t kMaxTomlNesting = 8;
// Parts of a dotted key. The language needs three.
inline constexpr size_t kMaxTomlKeyParts = 8;
// Keys and numbers without quotes. toml11 multiplies on beyond what an integer holds.
inline constexpr size_t kMaxTomlWordBytes = 64;
inline constexpr size_t kMaxTomlLineBytes = 4096;

// Whether the text consists of whole tokens, closed and nested within bounds. The first fault is an
// error.
bool CheckTomlTokens(const SourceText& source, Findings* findings);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_TOML_TOKENS_H_
