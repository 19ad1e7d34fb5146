// RuleReader: the rules that one table of a role's `allow` or `deny` says.
//
// Process: broker, when it loads a policy, and the tools.

#ifndef SOCKGATE_BROKER_POLICY_RULE_READER_H_
#define SOCKGATE_BROKER_POLICY_RULE_READER_H_

#include <cstddef>
#include <vector>

#include "broker/policy/findings.h"
#include "broker/policy/rule.h"
#include "broker/policy/toml_value.h"

namespace sockgate {

// A rule, and the offset in the text of what it is about.
struct PlacedRule {
  Rule rule;
  size_t at;
};

// Appends one rule for each host, range or path that the table names.
void ReadRules(Decision decision, const TomlValue& value, Findings* findings,
               std::vector<PlacedRule>* rules);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_RULE_READER_H_
