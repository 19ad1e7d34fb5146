// PolicyLint: what is allowed to stand in a policy file but is hardly meant: rules that say nothing
// and roles that nobody can use. It warns only of what is certain.
//
// Process: broker, when it loads a policy, and the tools. Pure.

#ifndef SOCKGATE_BROKER_POLICY_POLICY_LINT_H_
#define SOCKGATE_BROKER_POLICY_POLICY_LINT_H_

#include <vector>

#include "broker/policy/cidr.h"
#include "broker/policy/findings.h"
#include "broker/policy/role_reader.h"

namespace sockgate {

// `own`: what is denied whatever the rules say. `listened_for`: whether a path gives the role.
void LintRole(const RoleDraft& role, bool listened_for, const std::vector<Cidr>& own,
              Findings* findings);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_POLICY_LINT_H_
