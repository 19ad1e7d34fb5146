#include "tool/check_policy.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "broker/policy/finding_text.h"
#include "broker/policy/policy_file.h"

namespace sockgate {
namespace {

std::string Count(size_t count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

void PrintText(const std::string& file, const LoadedPolicy& loaded) {
  for (const Finding& finding : loaded.findings) {
    std::printf("%s\n", FindingText(file, finding).c_str());
  }
  const auto errors = static_cast<size_t>(std::count_if(
      loaded.findings.begin(), loaded.findings.end(),
      [](const Finding& finding) { return finding.severity == Finding::Severity::kError; }));
  std::string summary =
      absl::StrCat(Count(errors, "error"), ", ", Count(loaded.findings.size() - errors, "warning"));
  if (loaded.policy.has_value()) {
    size_t rules = 0;
    for (const Role& role : loaded.policy->roles) rules += role.policy.rules().size();
    absl::StrAppend(&summary, "; ", Count(loaded.policy->roles.size(), "role"), ", ",
                    Count(rules, "rule"), ", ", Count(loaded.policy->listen.size(), "path"));
  }
  std::printf("%s: %s\n", file.c_str(), summary.c_str());
}

void PrintJson(const std::string& file, const LoadedPolicy& loaded) {
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const Finding& finding : loaded.findings) {
    findings.push_back({{"severity", std::string(Word(finding.severity))},
                        {"line", finding.line},
                        {"column", finding.column},
                        {"message", finding.message},
                        {"advice", finding.advice}});
  }
  const nlohmann::ordered_json json = {
      {"file", file}, {"ok", loaded.policy.has_value()}, {"findings", findings}};
  // A message may quote bytes of the file that are no UTF-8.
  const auto replace = nlohmann::ordered_json::error_handler_t::replace;
  std::printf("%s\n", json.dump(2, ' ', false, replace).c_str());
}

}  // namespace

int CheckPolicy(const CheckPolicyOptions& options) {
  const LoadedPolicy loaded = LoadPolicyFile(options.file);
  if (options.json) {
    PrintJson(options.file, loaded);
  } else {
    PrintText(options.file, loaded);
  }
  const bool clean = loaded.policy.has_value() && (!options.strict || loaded.findings.empty());
  return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace sockgate
