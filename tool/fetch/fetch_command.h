// FetchCommand: the options of `sockgate fetch`, as CLI11 reads them.
//
// Process: the command.

#ifndef SOCKGATE_TOOL_FETCH_FETCH_COMMAND_H_
#define SOCKGATE_TOOL_FETCH_FETCH_COMMAND_H_

#include <map>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tool/fetch/fetch_options.h"

namespace sockgate {

class FetchCommand {
 public:
  explicit FetchCommand(CLI::App& app);

  CLI::App* app() const { return fetch_; }

  // Once the command line has been read.
  FetchOptions Options() const;

 private:
  void AddSources();
  void AddPolicy();
  void AddRequest();
  void AddLimits();
  void AddOutput();

  CLI::App* const fetch_;
  FetchOptions options_;
  std::string mode_ = "in-progress";
  CLI::Option* remote_name_ = nullptr;
  CLI::Option* output_ = nullptr;
  std::map<const CLI::Option*, BodyPart::Kind> data_;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_FETCH_COMMAND_H_
