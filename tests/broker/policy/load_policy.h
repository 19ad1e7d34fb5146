// Policy files in few words, for tests.

#ifndef SOCKGATE_TESTS_BROKER_POLICY_LOAD_POLICY_H_
#define SOCKGATE_TESTS_BROKER_POLICY_LOAD_POLICY_H_

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/policy/policy_file.h"

namespace sockgate::testing {

// "error 3:7 unknown key 'alow' in a role (write 'allow')".
inline std::string InWords(const Finding& finding) {
  const bool error = finding.severity == Finding::Severity::kError;
  const std::string advice =
      finding.advice.empty() ? std::string() : absl::StrCat(" (", finding.advice, ")");
  return absl::StrCat(error ? "error " : "warning ", finding.line, ":", finding.column, " ",
                      finding.message, advice);
}

inline std::vector<std::string> InWords(const LoadedPolicy& loaded) {
  std::vector<std::string> all;
  for (const Finding& finding : loaded.findings) all.push_back(InWords(finding));
  return all;
}

using Texts = std::vector<std::string>;

inline Texts FindingsIn(absl::string_view text) { return InWords(ParsePolicy(text)); }

inline bool HasError(const LoadedPolicy& loaded) {
  return std::any_of(loaded.findings.begin(), loaded.findings.end(), [](const Finding& finding) {
    return finding.severity == Finding::Severity::kError;
  });
}

// Throws when there is no such role.
inline const Role& RoleOf(const LoadedPolicy& loaded, absl::string_view name) {
  const std::vector<Role>& roles = loaded.policy.value().roles;
  const auto found =
      std::find_if(roles.begin(), roles.end(), [&](const Role& role) { return role.name == name; });
  return roles.at(static_cast<size_t>(found - roles.begin()));
}

// A policy with one role, `r`, that has these rules: the lines from 7 on.
inline std::string WithRules(absl::string_view rules) {
  return absl::StrCat("version = 1\n[[listen]]\npath = \"/run/r\"\nrole = \"r\"\n\n[roles.r]\n",
                      rules);
}

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_POLICY_LOAD_POLICY_H_
