#include "tool/usage_error.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "broker/policy/nearest_word.h"

namespace sockgate {
namespace {

// The two of "--role requires --policy".
using Pair = std::pair<std::string, std::string>;

const CLI::App& Chosen(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : *parsed.front();
}

std::string NameOf(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : absl::StrCat("sockgate ", app.get_name());
}

// "--control PATH", "FILE".
std::string Written(const CLI::App& app, const std::string& name) {
  const CLI::Option* const option = app.get_option_no_throw(name);
  if (option == nullptr) return name;
  const std::string type = option->get_type_name();
  const std::string value = type.substr(0, type.find(':'));
  return option->get_positional() ? value : absl::StrCat(name, " ", value);
}

std::string NoSuchOption(const CLI::App& app, absl::string_view word) {
  const std::string name(word.substr(0, word.find('=')));
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& known : option->get_lnames()) {
      names.push_back(absl::StrCat("--", known));
    }
  }
  const bool is_long = absl::StartsWith(name, "--");
  const std::vector<absl::string_view> known(names.begin(), names.end());
  const absl::string_view nearest = is_long ? NearestWord(name, known) : absl::string_view();
  return absl::StrCat("there is no option '", name, "' (try '",
                      nearest.empty() ? absl::StrCat(NameOf(app), " --help") : nearest, "')");
}

// What nobody had a use for. An option goes first: what stands behind it may be its value.
std::string Unexpected(const CLI::App& app) {
  const std::vector<std::string> words = app.remaining();
  for (const std::string& word : words) {
    if (word.size() > 1 && word[0] == '-') return NoSuchOption(app, word);
  }
  if (words.empty()) return "";
  return absl::StrCat("'", words.front(), "' is one argument too many (try '", NameOf(app),
                      " --help')");
}

Pair TwoOf(const CLI::ParseError& error, absl::string_view between) {
  return absl::StrSplit(error.what(), absl::MaxSplits(between, 1));
}

std::string Apart(const Pair& pair) {
  std::string both = absl::StrCat(pair.first, " and ", pair.second, " do not go together");
  if (pair.first != "--policy" && pair.second != "--policy") return both;
  const std::string& other = pair.first == "--policy" ? pair.second : pair.first;
  return absl::StrCat(both, ": write what ", other, " says into the policy file");
}

std::string Missing(const CLI::App& app, const CLI::ParseError& error) {
  if (app.get_parent() == nullptr) return "there is no command (try 'sockgate --help')";
  const std::string name(absl::StripSuffix(error.what(), " is required"));
  return absl::StrCat("write ", Written(app, name), ", which is missing (try '", NameOf(app),
                      " --help')");
}

// "--jobs: 1 required N missing", "--control: At Most 1 required but received 2".
std::string WrongCount(const CLI::App& app, const CLI::ParseError& error) {
  const std::string name = TwoOf(error, ": ").first;
  const bool too_many = absl::StrContains(error.what(), "At Most");
  return too_many ? absl::StrCat(name, " is there more than once")
                  : absl::StrCat(name, " has no value: write ", Written(app, name));
}

// "Could not convert: --json = x".
std::string NoValue(const CLI::ParseError& error) {
  const std::string text = TwoOf(error, "Could not convert: ").second;
  if (text.empty()) return error.what();
  const Pair pair = absl::StrSplit(text, absl::MaxSplits(" = ", 1));
  return absl::StrCat(pair.first, " cannot be '", pair.second, "'");
}

std::string What(const CLI::App& app, const CLI::ParseError& error) {
  // It is told whatever else is missing for the lack of what was meant.
  std::string unexpected = Unexpected(app);
  if (!unexpected.empty()) return unexpected;
  const std::string kind = error.get_name();
  if (kind == "ExcludesError") return Apart(TwoOf(error, " excludes "));
  if (kind == "RequiredError") return Missing(app, error);
  if (kind == "ArgumentMismatch") return WrongCount(app, error);
  if (kind == "ConversionError") return NoValue(error);
  if (kind != "RequiresError") return error.what();
  const Pair pair = TwoOf(error, " requires ");
  return absl::StrCat(pair.first, " goes with ", pair.second, ": write ", Written(app, pair.second),
                      " too");
}

}  // namespace

std::string UsageError(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& chosen = Chosen(app);
  return absl::StrCat(NameOf(chosen), ": ", What(chosen, error));
}

std::string UnknownCommand(const CLI::App& app, const std::string& word) {
  std::vector<absl::string_view> known;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    if (command->get_name() == word) return "";
    known.emplace_back(command->get_name());
  }
  const absl::string_view nearest = NearestWord(word, known);
  return absl::StrCat("sockgate: there is no command '", word, "' (try '",
                      nearest.empty() ? "--help" : nearest, "')");
}

}  // namespace sockgate
