#include "tool/usage_error.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "broker/policy/nearest_word.h"
#include "tool/printable_text.h"

namespace sockgate {
namespace {

const CLI::App& CommandOf(const CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  return parsed.empty() ? app : *parsed.front();
}

std::string AdviceOnOption(const CLI::App& command, absl::string_view option) {
  std::vector<std::string> names;
  for (const CLI::Option* known : command.get_options()) {
    for (const std::string& name : known->get_lnames()) names.push_back(absl::StrCat("--", name));
  }
  const std::vector<absl::string_view> candidates(names.begin(), names.end());
  const absl::string_view nearest = NearestWord(option, candidates);
  return absl::StrCat(": try '", nearest.empty() ? "--help" : nearest, "'");
}

// One that nobody knows, or that nothing is left for.
std::string ExtraText(const CLI::App& command) {
  const std::vector<std::string> extras = command.remaining(true);
  if (extras.empty()) return "there is too much on the command line";
  const absl::string_view extra = extras.front();
  const absl::string_view name = extra.substr(0, extra.find('='));
  if (!absl::StartsWith(name, "-")) {
    return absl::StrCat("there is nothing that '", extra, "' could be: one argument too many");
  }
  return absl::StrCat("there is no option '", name, "'", AdviceOnOption(command, name));
}

// CLI11 says which two options do not go together, and not what does.
absl::string_view AdviceOnPair(absl::string_view pair) {
  if (absl::StrContains(pair, "--policy")) return ": the rules are in the file, so write it there";
  return ": the rules are in the policy file, or on the command line";
}

std::string Text(const CLI::App& command, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return ExtraText(command);
  const bool is_pair = dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr;
  return absl::StrCat(error.what(), is_pair ? AdviceOnPair(error.what()) : "");
}

}  // namespace

std::string UsageErrorText(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = CommandOf(app);
  const bool is_top = &command == &app;
  return absl::StrCat("sockgate", is_top ? "" : " ", is_top ? "" : command.get_name(), ": ",
                      PrintableText(Text(command, error)));
}

}  // namespace sockgate
