// HelpText: what --help prints: a screen of 24 rows and 80 columns for each command. The manual
// pages say the rest.
//
// Process: the command. Pure.

#ifndef SOCKGATE_TOOL_HELP_TEXT_H_
#define SOCKGATE_TOOL_HELP_TEXT_H_

#include <string>

#include "CLI/CLI.hpp"

namespace sockgate {

class HelpText : public CLI::Formatter {
 public:
  static constexpr size_t kColumns = 80;
  static constexpr size_t kRows = 24;
  // A command with more options has them in two columns, down the left one first.
  static constexpr size_t kMostInOneColumn = 16;

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_HELP_TEXT_H_
