#include "tool/explain.h"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "broker/policy/finding_text.h"
#include "broker/policy/policy_file.h"
#include "tool/exit_status.h"
#include "tool/explanation.h"
#include "tool/target.h"

namespace sockgate {
namespace {

absl::string_view Word(PolicyMode mode) {
  return mode == PolicyMode::kEnforce ? "enforce" : "report";
}

// "deny by rule 3 (line 12): deny-rule"
std::string VerdictText(const Verdict& verdict) {
  std::string text(Word(verdict.decision));
  if (verdict.rule != 0) absl::StrAppend(&text, " by rule ", verdict.rule);
  if (verdict.line != 0) absl::StrAppend(&text, " (line ", verdict.line, ")");
  if (verdict.reason != Reason::kNone) absl::StrAppend(&text, ": ", Word(verdict.reason));
  return text;
}

void PrintText(const Target& target, const Role& role, const Explanation& explanation) {
  for (const ExplainedQuestion& question : explanation.questions) {
    std::printf("%s\n", question.about.c_str());
    for (const std::string& step : question.steps) std::printf("  %s\n", step.c_str());
    std::printf("  -> %s\n", VerdictText(question.verdict).c_str());
  }
  std::printf("%s for role %s: %s\n", target.ToString().c_str(), role.name.c_str(),
              VerdictText(explanation.verdict).c_str());
}

void AddVerdict(const Verdict& verdict, nlohmann::ordered_json* json) {
  (*json)["verdict"] = std::string(Word(verdict.decision));
  (*json)["rule"] = verdict.rule;
  (*json)["line"] = verdict.line;
  (*json)["reason"] = std::string(Word(verdict.reason));
}

void PrintJson(const Target& target, const Role& role, const Explanation& explanation) {
  nlohmann::ordered_json json = {{"target", target.ToString()},
                                 {"role", role.name},
                                 {"mode", std::string(Word(role.policy.mode()))}};
  AddVerdict(explanation.verdict, &json);
  json["questions"] = nlohmann::ordered_json::array();
  for (const ExplainedQuestion& question : explanation.questions) {
    nlohmann::ordered_json entry = {{"question", question.about}, {"steps", question.steps}};
    AddVerdict(question.verdict, &entry);
    json["questions"].push_back(entry);
  }
  const auto replace = nlohmann::ordered_json::error_handler_t::replace;
  std::printf("%s\n", json.dump(2, ' ', false, replace).c_str());
}

absl::StatusOr<const Role*> FindRole(const PolicyFile& policy, const std::string& name) {
  if (name.empty() && policy.roles.size() == 1) return &policy.roles.front();
  std::vector<std::string> names;
  for (const Role& role : policy.roles) {
    if (role.name == name) return &role;
    names.push_back(role.name);
  }
  return absl::NotFoundError(
      absl::StrCat(name.empty() ? "which role? --role is one of: "
                                : absl::StrCat("there is no role '", name, "'; there are: "),
                   absl::StrJoin(names, ", ")));
}

absl::StatusOr<std::vector<IpAddress>> ParseAddresses(const std::vector<std::string>& texts,
                                                      const Target& target) {
  if (!texts.empty() && !std::holds_alternative<HostName>(target.place)) {
    return absl::InvalidArgumentError("--resolved-to is for a name, and the target is none");
  }
  std::vector<IpAddress> addresses;
  for (const std::string& text : texts) {
    const auto address = IpAddress::Parse(text);
    if (!address.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--resolved-to: '", text, "' is no address, such as 192.0.2.1 or 2001:db8::1"));
    }
    addresses.push_back(*address);
  }
  return addresses;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "sockgate explain: %s\n", std::string(status.message()).c_str());
  return kExitUsage;
}

}  // namespace

int Explain(const ExplainOptions& options) {
  const LoadedPolicy loaded = LoadPolicyFile(options.policy_file);
  if (!loaded.policy.has_value()) {
    for (const Finding& finding : loaded.findings) {
      std::fprintf(stderr, "%s\n", FindingText(options.policy_file, finding).c_str());
    }
    return kExitUsage;
  }
  const auto role = FindRole(*loaded.policy, options.role);
  if (!role.ok()) return Fail(role.status());
  const auto target = Target::Parse(options.target);
  if (!target.ok()) return Fail(target.status());
  const auto addresses = ParseAddresses(options.resolved_to, *target);
  if (!addresses.ok()) return Fail(addresses.status());

  const Transport transport = options.udp ? Transport::kDatagram : Transport::kStream;
  const Explanation explanation = ExplainTarget(**role, *target, transport, *addresses);
  if (options.json) {
    PrintJson(*target, **role, explanation);
  } else {
    PrintText(*target, **role, explanation);
  }
  return explanation.verdict.lets_through() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace sockgate
