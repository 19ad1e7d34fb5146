// UsageError: what is wrong with a command line, in the words of the other errors, and what to write.
//
// Process: the command. Pure.
//
// CLI11 says "The following argument was not expected: --jbos", without whose argument it is and what
// there is instead.

#ifndef SOCKGATE_TOOL_USAGE_ERROR_H_
#define SOCKGATE_TOOL_USAGE_ERROR_H_

#include <string>

#include "CLI/CLI.hpp"

namespace sockgate {

// "sockgate fetch: there is no option '--jbos' (try '--jobs')". `error` is what parsing has thrown.
std::string UsageError(const CLI::App& app, const CLI::ParseError& error);

// "sockgate: there is no command 'fech' (try 'fetch')"; empty where there is one.
std::string UnknownCommand(const CLI::App& app, const std::string& word);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_USAGE_ERROR_H_
