// Explanation: the answer of `sockgate explain`, before it is printed.
//
// Process: the command, unconfined. A value type.

#ifndef SOCKGATE_TOOL_EXPLANATION_H_
#define SOCKGATE_TOOL_EXPLANATION_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "broker/policy/role.h"
#include "broker/policy/verdict.h"
#include "proto/ip_address.h"
#include "proto/messages.h"
#include "tool/target.h"

namespace sockgate {

// One question that the policy was asked on the way.
struct ExplainedQuestion {
  std::string about;               // "www.example.com", "192.0.2.1:443 as www.example.com"
  std::vector<std::string> steps;  // one sentence each
  Verdict verdict;
};

struct Explanation {
  std::vector<ExplainedQuestion> questions;
  Verdict verdict;  // of the whole: of several addresses, of the first that is let through
};

// Asks what the broker would ask: first, of a name, whether it may be looked up; then about each
// address that it leads to or, without any, about a public one that no rule on addresses speaks of;
// localhost leads to loopback addresses.
Explanation ExplainTarget(const Role& role, const Target& target, Transport transport,
                          absl::Span<const IpAddress> resolved_to);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_EXPLANATION_H_
