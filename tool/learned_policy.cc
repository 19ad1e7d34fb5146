#include "tool/learned_policy.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "broker/policy/role.h"
#include "tool/learned_rules.h"
#include "tool/rule_text.h"

namespace sockgate {
namespace {

// A dot in a bare key would begin a table within the table.
std::string Key(absl::string_view name) {
  const bool dotted = name.find('.') != absl::string_view::npos;
  return dotted ? absl::StrCat("\"", name, "\"") : std::string(name);
}

std::string OmittedRoleText(absl::string_view name) {
  constexpr size_t kMostBytes = 80;
  return absl::StrCat("\n# Left out: the role '", absl::CHexEscape(name.substr(0, kMostBytes)),
                      name.size() > kMostBytes ? "..." : "",
                      "', since no policy can have one of this name.\n");
}

std::string RoleText(absl::string_view name, const SeenTargets& seen) {
  const LearnedRules learned = LearnedRules::From(seen);
  std::string text = absl::StrCat("\n[roles.", Key(name), "]\nmode = \"enforce\"\n",
                                  UnreachableText(learned.unreachable));
  if (learned.rules.empty()) return text;
  absl::StrAppend(&text, "allow = [\n");
  for (const LearnedRule& rule : learned.rules) text.append(RuleText(rule));
  absl::StrAppend(&text, "]\n");
  return text;
}

}  // namespace

void LearnedPolicy::Add(const SeenDecision& decision) {
  roles_[decision.role].Add(decision);
  sightings_.Add({1, decision.date, decision.date});
}

bool LearnedPolicy::has_role() const {
  return std::any_of(roles_.begin(), roles_.end(),
                     [](const auto& role) { return IsRoleName(role.first); });
}

std::string LearnedPolicy::ToString() const {
  std::string text = absl::StrCat(
      "# Allows what an audit log tells of: names wherever they lead in public, other addresses "
      "one by\n"
      "# one. ",
      SightingsText(sightings_),
      ".\n# Read it before it is put in force: what was seen need not be what was meant.\n"
      "# No path gives the roles yet; add a [[listen]] for each.\nversion = 1\n");
  for (const auto& [name, seen] : roles_) {
    text.append(IsRoleName(name) ? RoleText(name, seen) : OmittedRoleText(name));
  }
  return text;
}

}  // namespace sockgate
