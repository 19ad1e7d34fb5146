// Shell: runs a command line as sh(1) does, and tells how it ended.
//
// Process: the test. Blocks until the command ends. Errors end the test program.

#ifndef SOCKGATE_TESTS_SUPPORT_SHELL_H_
#define SOCKGATE_TESTS_SUPPORT_SHELL_H_

#include <string>
#include <vector>

namespace sockgate::testing {

struct Ran {
  int status = -1;   // the exit status; -1: a signal ended it
  std::string said;  // on both its outputs
};

Ran Shell(const std::string& command);

std::vector<std::string> Lines(const std::string& text);

// All of it; empty where there is no such file.
std::string FileText(const std::string& path);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_SHELL_H_
