// VersionText: what --version prints: which sockgate this is, and with which libraries it runs.
//
// Process: the command. Pure.

#ifndef SOCKGATE_TOOL_VERSION_TEXT_H_
#define SOCKGATE_TOOL_VERSION_TEXT_H_

#include <string>

namespace sockgate {

// Two lines, without the end of the second. The libraries are those that were loaded, which a
// security update may have changed since the build.
std::string VersionText();

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_VERSION_TEXT_H_
