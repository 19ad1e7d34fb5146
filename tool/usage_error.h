// UsageError: what is wrong with a command line, and what to write instead.
//
// Process: the command. Pure. Trusted input: the command line; yet what of it is shown is fit for a
// terminal, since a person pastes what a stranger wrote.

#ifndef SOCKGATE_TOOL_USAGE_ERROR_H_
#define SOCKGATE_TOOL_USAGE_ERROR_H_

#include <string>

#include "CLI/CLI.hpp"

namespace sockgate {

// "sockgate fetch: there is no option '--jbos': try '--jobs'", without a line end. `app` is what has
// parsed, and `error` what it has thrown.
std::string UsageErrorText(const CLI::App& app, const CLI::ParseError& error);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_USAGE_ERROR_H_
