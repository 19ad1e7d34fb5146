// Verdict: what the policy says of one request, and why.

#ifndef SOCKGATE_BROKER_POLICY_VERDICT_H_
#define SOCKGATE_BROKER_POLICY_VERDICT_H_

#include <cstdint>

#include "proto/messages.h"

namespace sockgate {

enum class Decision { kAllow, kDeny };

struct Verdict {
  Decision decision = Decision::kDeny;
  uint32_t rule = 0;  // number of the rule that decided; 0: the default
  Reason reason = Reason::kNoRuleMatches;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_VERDICT_H_
