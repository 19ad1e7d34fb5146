// Verdict: what the policy says of one request, and why.

#ifndef SOCKGATE_BROKER_POLICY_VERDICT_H_
#define SOCKGATE_BROKER_POLICY_VERDICT_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "proto/messages.h"

namespace sockgate {

enum class Decision : uint8_t {
  kAllow,
  kDeny,
  kWouldDeny,  // let through because the role is in report mode
};

struct Verdict {
  Decision decision = Decision::kDeny;
  uint32_t rule = 0;  // number of the rule that decided; 0: none did
  uint32_t line = 0;  // where that rule stands in the policy file; 0: it is not from a file
  Reason reason = Reason::kNoRuleMatches;

  bool lets_through() const { return decision != Decision::kDeny; }
};

// "allow", "deny", "would-deny".
absl::string_view Word(Decision decision);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_VERDICT_H_
