#include "broker/policy/policy_lint.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "broker/policy/rule_reach.h"
#include "broker/policy/rule_relation.h"

namespace sockgate {
namespace {

bool IsLoopback(const Cidr& range) {
  const SpecialRange* special = FindSpecialRange(range);
  return special != nullptr && special->name == absl::string_view("loopback");
}

class RuleLint {
 public:
  RuleLint(const RoleDraft& role, const std::vector<Cidr>& own, Findings* findings)
      : rules_(role.rules), own_(own), findings_(findings), reach_(role.rules, role.mode) {}

  void Run() {
    for (size_t i = 0; i < rules_.size(); ++i) {
      const bool allows = rules_[i].rule.decision == Decision::kAllow;
      allows ? LookAtAllow(i) : LookAtDeny(i);
    }
  }

 private:
  void Warn(size_t index, std::string message, absl::string_view advice) {
    findings_->Warn(rules_[index].at, std::move(message), std::string(advice));
  }

  void LookAtAllow(size_t i) {
    if (WarnOfDenied(i) || WarnOfNever(i) || WarnOfRedundant(i)) return;
    WarnOfTopLevelDomain(i);
    WarnOfUnnamedParts(i);
  }

  void LookAtDeny(size_t i) {
    if (WarnOfRedundant(i)) return;
    if (reach_.MayDenySomething(i)) return;
    Warn(i, "the rule denies nothing: no rule allows any of it",
         "harmless; remove it, or look for a slip in it");
  }

  // Calls visit() for the rules that may have to do with all of the `i`th, but not for itself.
  template <typename Visit>
  bool AnyOther(size_t i, Visit visit) const {
    const auto visit_other = [&](uint32_t other) { return other != i && visit(other); };
    if (reach_.nest().AnyAround(i, visit_other)) return true;
    const RuleNest::Bucket& everywhere = reach_.nest().on_public();
    const size_t size = std::min(everywhere.size(), RuleNest::kMostCandidates);
    return std::any_of(everywhere.begin(), everywhere.begin() + static_cast<ptrdiff_t>(size),
                       visit_other);
  }

  bool WarnOfDenied(size_t i) {
    return AnyOther(i, [&](uint32_t other) {
      const Rule& deny = rules_[other].rule;
      if (deny.decision != Decision::kDeny || !Undoes(deny, rules_[i].rule)) return false;
      Warn(i, absl::StrCat("the rule allows nothing: line ", deny.line, " denies all of it"),
           "remove one of the two, or narrow the deny rule");
      return true;
    });
  }

  // Of rules that say the same the first is the one to keep.
  bool WarnOfRedundant(size_t i) {
    const Rule& rule = rules_[i].rule;
    return AnyOther(i, [&](uint32_t other) {
      const Rule& wide = rules_[other].rule;
      if (wide.decision != rule.decision || !Covers(wide, rule)) return false;
      const bool same = wide.target.index() == rule.target.index() && SameTarget(wide, rule) &&
                        Covers(rule, wide);
      if (same && other > i) return false;
      Warn(i,
           absl::StrCat(same ? "the rule says the same as line " : "the rule adds nothing to line ",
                        wide.line),
           "remove it");
      return true;
    });
  }

  static bool SameTarget(const Rule& a, const Rule& b) {
    if (const auto* cidr = std::get_if<Cidr>(&a.target)) return *cidr == std::get<Cidr>(b.target);
    if (const auto* pattern = std::get_if<HostPattern>(&a.target)) {
      return pattern->Covers(std::get<HostPattern>(b.target)) &&
             std::get<HostPattern>(b.target).Covers(*pattern);
    }
    return true;
  }

  bool WarnOfNever(size_t i) {
    const Rule& rule = rules_[i].rule;
    const auto* cidr = std::get_if<Cidr>(&rule.target);
    const auto* pattern = std::get_if<HostPattern>(&rule.target);
    const bool to_loopback = pattern != nullptr && pattern->name().is_localhost();
    if (to_loopback && !rule.private_addresses && !AllowsLoopback()) {
      Warn(i, "the rule allows nothing: the name leads to loopback addresses",
           "write private = true");
      return true;
    }
    if (cidr == nullptr) return false;
    if (cidr->base().is_unspecified() && cidr->prefix() == cidr->base().bits()) {
      Warn(i, "the rule allows nothing: to the kernel this address means loopback",
           "write \"127.0.0.1\" or \"::1\"");
      return true;
    }
    return WarnOfOwn(i, *cidr) || WarnOfEmbedding(i, *cidr);
  }

  // Then a rule on localhost is what lets the name be looked up.
  bool AllowsLoopback() const {
    return std::any_of(rules_.begin(), rules_.end(), [](const auto& one) {
      const auto* cidr = std::get_if<Cidr>(&one.rule.target);
      return one.rule.decision == Decision::kAllow && cidr != nullptr && IsLoopback(*cidr);
    });
  }

  bool WarnOfOwn(size_t i, const Cidr& cidr) {
    const auto covers = [&](const Cidr& own) { return own.Contains(cidr); };
    if (std::none_of(own_.begin(), own_.end(), covers)) return false;
    Warn(i, "the rule allows nothing: 'deny_own_addresses' denies all of it",
         "remove it, or write deny_own_addresses = false");
    return true;
  }

  bool WarnOfEmbedding(size_t i, const Cidr& cidr) {
    const absl::string_view form = reach_.ClosedEmbedding(cidr, rules_[i].rule);
    if (form.empty()) return false;
    Warn(i,
         absl::StrCat("the rule allows nothing: these addresses stand for IPv4 ones (", form,
                      "), which no rule allows"),
         "allow the IPv4 addresses too");
    return true;
  }

  void WarnOfTopLevelDomain(size_t i) {
    const auto* pattern = std::get_if<HostPattern>(&rules_[i].rule.target);
    if (pattern == nullptr || !pattern->covers_subdomains()) return;
    if (absl::StrContains(pattern->name().text(), '.')) return;
    Warn(i,
         absl::StrCat("the rule allows every name below ", pattern->name().text(),
                      ", whoever has it"),
         absl::StrCat("write *.NAME.", pattern->name().text()));
  }

  // Who allows 0.0.0.0/0 knows that it is more than what it opens.
  void WarnOfUnnamedParts(size_t i) {
    constexpr size_t kMostNamed = 3;
    const auto* cidr = std::get_if<Cidr>(&rules_[i].rule.target);
    if (cidr == nullptr || cidr->prefix() == 0) return;
    std::vector<const SpecialRange*> closed = reach_.UnnamedParts(*cidr);
    if (closed.empty()) return;
    const size_t others = closed.size() - std::min(closed.size(), kMostNamed);
    closed.resize(closed.size() - others);
    const std::string named =
        absl::StrJoin(closed, ", ", [](std::string* out, const SpecialRange* special) {
          absl::StrAppend(out, special->range.ToString(), " (", special->name, ")");
        });
    Warn(i,
         absl::StrCat("the rule does not open ", named,
                      others == 0 ? "" : absl::StrCat(" and ", others, " more")),
         "write them as a cidr of their own if they are meant");
  }

  const std::vector<PlacedRule>& rules_;
  const std::vector<Cidr>& own_;
  Findings* const findings_;
  const RuleReach reach_;
};

}  // namespace

void LintRole(const RoleDraft& role, bool listened_for, const std::vector<Cidr>& own,
              Findings* findings) {
  const std::string name = Quoted(role.role.name);
  const bool allows = std::any_of(
      role.rules.begin(), role.rules.end(),
      [](const PlacedRule& placed) { return placed.rule.decision == Decision::kAllow; });
  if (!listened_for) {
    findings->Warn(role.at, absl::StrCat("no path gives the role ", name),
                   absl::StrCat("write [[listen]] with role = \"", role.role.name, "\""));
  }
  if (role.mode == PolicyMode::kReport) {
    findings->Warn(role.mode_at, absl::StrCat("the role ", name, " enforces nothing"),
                   "write mode = \"enforce\" when it has reported enough");
  }
  if (!allows && role.mode == PolicyMode::kEnforce) {
    findings->Warn(role.at, absl::StrCat("the role ", name, " may reach nothing"),
                   "write allow = [ ... ]");
  }
  if (allows) RuleLint(role, own, findings).Run();
}

}  // namespace sockgate
