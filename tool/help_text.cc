#include "tool/help_text.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace sockgate {
namespace {

// What is explained, and how.
struct Entry {
  std::string name;
  std::string text;
};

using Entries = std::vector<Entry>;

std::string OptionName(const CLI::Option& option) {
  std::string name;
  for (const std::string& letter : option.get_snames()) absl::StrAppend(&name, "-", letter, ", ");
  for (const std::string& word : option.get_lnames()) absl::StrAppend(&name, "--", word);
  // "SECONDS:FLOAT in [0 - 5]"
  if (option.get_expected_max() > 0) {
    const std::string type = option.get_type_name();
    absl::StrAppend(&name, " ", type.substr(0, type.find(':')));
  }
  return name;
}

bool IsPositional(const CLI::Option& option) { return option.get_positional(); }

Entries OptionsOf(const CLI::App& app) {
  Entries entries;
  for (const CLI::Option* option : app.get_options()) {
    if (!IsPositional(*option)) entries.push_back({OptionName(*option), option->get_description()});
  }
  return entries;
}

Entries CommandsOf(const CLI::App& app) {
  Entries entries;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    entries.push_back({command->get_name(), command->get_description()});
  }
  return entries;
}

std::string Usage(const CLI::App& app, const std::string& name) {
  std::string usage = absl::StrCat("Usage: ", name);
  if (!app.get_subcommands(nullptr).empty()) return absl::StrCat(usage, " COMMAND ...\n");
  absl::StrAppend(&usage, " [OPTION]...");
  for (const CLI::Option* option : app.get_options()) {
    if (IsPositional(*option)) {
      const bool many = option->get_items_expected_max() > 1;
      absl::StrAppend(&usage, " ", option->get_type_name(), many ? "..." : "");
    }
  }
  return absl::StrCat(usage, "\n");
}

size_t WidestName(Entries::const_iterator begin, Entries::const_iterator end) {
  size_t widest = 0;
  for (auto entry = begin; entry != end; ++entry) widest = std::max(widest, entry->name.size());
  return widest;
}

std::string Padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

// The text behind its name, in as many lines as it takes.
std::string OneColumn(const Entries& entries) {
  const size_t indent = WidestName(entries.begin(), entries.end()) + 4;
  std::string lines;
  for (const Entry& entry : entries) {
    std::string line = Padded(absl::StrCat("  ", entry.name), indent - 1);
    for (const absl::string_view word : absl::StrSplit(entry.text, absl::ByAnyChar(" \n"))) {
      if (line.size() + 1 + word.size() > HelpText::kColumns) {
        absl::StrAppend(&lines, line, "\n");
        line = std::string(indent - 1, ' ');
      }
      absl::StrAppend(&line, " ", word);
    }
    absl::StrAppend(&lines, line, "\n");
  }
  return lines;
}

std::string TwoColumns(const Entries& entries) {
  const size_t rows = (entries.size() + 1) / 2;
  const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(rows);
  const size_t left = WidestName(entries.begin(), middle) + 1;
  const size_t right = WidestName(middle, entries.end()) + 1;
  std::string lines;
  for (size_t row = 0; row < rows; ++row) {
    std::string line = Padded(entries[row].name, left) + entries[row].text;
    if (rows + row < entries.size()) {
      const Entry& beside = entries[rows + row];
      line = Padded(line, HelpText::kColumns / 2) + Padded(beside.name, right) + beside.text;
    }
    absl::StrAppend(&lines, line, "\n");
  }
  return lines;
}

}  // namespace

std::string HelpText::make_help(const CLI::App* app, std::string name,
                                CLI::AppFormatMode /*mode*/) const {
  const Entries options = OptionsOf(*app);
  std::string text = Usage(*app, name);
  if (options.size() > kMostInOneColumn) {
    absl::StrAppend(&text, TwoColumns(options));
  } else {
    absl::StrAppend(&text, app->get_description(), "\n", OneColumn(CommandsOf(*app)),
                    OneColumn(options));
  }
  const std::string footer = app->get_footer();
  if (!footer.empty()) absl::StrAppend(&text, footer, "\n");
  return text;
}

}  // namespace sockgate
