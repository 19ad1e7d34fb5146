// RoleReader: one table of `roles`.
//
// Process: broker, when it loads a policy, and the tools.

#ifndef SOCKGATE_BROKER_POLICY_ROLE_READER_H_
#define SOCKGATE_BROKER_POLICY_ROLE_READER_H_

#include <cstddef>
#include <vector>

#include "broker/policy/findings.h"
#include "broker/policy/policy.h"
#include "broker/policy/role.h"
#include "broker/policy/rule_reader.h"
#include "broker/policy/toml_value.h"

namespace sockgate {

// A role whose policy is still in its parts.
struct RoleDraft {
  Role role;
  PolicyMode mode = PolicyMode::kEnforce;
  size_t mode_at = 0;             // offset in the text
  std::vector<PlacedRule> rules;  // in the order of the file
  size_t at = 0;                  // offset of the role in the text
};

RoleDraft ReadRole(const TomlEntry& entry, Findings* findings);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_ROLE_READER_H_
