#include "broker/control/servable_policy.h"

#include <utility>
#include <variant>

namespace sockgate {
namespace {

bool IsOnHost(const Rule& rule, Decision decision) {
  return rule.decision == decision && std::holds_alternative<HostPattern>(rule.target);
}

const Rule* FirstOnHost(const PolicyFile& policy, Decision decision) {
  for (const Role& role : policy.roles) {
    for (const Rule& rule : role.policy.rules()) {
      if (IsOnHost(rule, decision)) return &rule;
    }
  }
  return nullptr;
}

Finding AtRule(const Rule& rule, Finding::Severity severity, const char* message) {
  Finding finding;
  finding.severity = severity;
  finding.line = rule.line;
  finding.column = 1;
  finding.message = message;
  finding.advice = "write cidr rules";
  return finding;
}

void Refuse(Finding finding, LoadedPolicy* loaded) {
  loaded->findings.push_back(std::move(finding));
  loaded->policy.reset();
}

}  // namespace

LoadedPolicy LoadServablePolicy(const std::string& path) {
  LoadedPolicy loaded = LoadPolicyFile(path);
  if (!loaded.policy.has_value()) return loaded;
  const PolicyFile& policy = *loaded.policy;
  if (const Rule* rule = FirstOnHost(policy, Decision::kAllow)) {
    loaded.findings.push_back(
        AtRule(*rule, Finding::Severity::kWarning,
               "this broker looks no names up, so rules on hosts allow nothing"));
  }
  // One that allows nothing harms nobody; one that denies nothing would.
  if (const Rule* rule = FirstOnHost(policy, Decision::kDeny)) {
    Refuse(AtRule(*rule, Finding::Severity::kError,
                  "this broker looks no names up, so this rule would deny nothing"),
           &loaded);
  } else if (policy.listen.empty()) {
    Finding finding;
    finding.message = "there is no path where workers could ask";
    finding.advice = "write a table [[listen]]";
    Refuse(std::move(finding), &loaded);
  }
  return loaded;
}

}  // namespace sockgate
