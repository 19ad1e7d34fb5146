// Command: runs the real `sockgate` and tells how it ended.
//
// Process: the test. Blocks until the command ends.

#ifndef SOCKGATE_TESTS_TOOL_COMMAND_H_
#define SOCKGATE_TESTS_TOOL_COMMAND_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace sockgate::testing {

struct CommandResult {
  int status = -1;  // the exit status, or minus the signal
  std::string out;
  std::string err;
};

// In a child of the test: becomes the command.
[[noreturn]] void ExecuteSockgate(const std::vector<std::string>& arguments);

CommandResult RunSockgate(const std::vector<std::string>& arguments);

// The exit status when standard output is this file; what the command says on standard error is lost.
int RunSockgateInto(const std::string& file, const std::vector<std::string>& arguments);

// What the command writes to its standard error when that is a terminal.
std::string TerminalOutput(const std::vector<std::string>& arguments);

// Starts it with standard error to a file, for a command that serves. Returns its pid. `prepare` is
// called in the new process before it becomes the command.
pid_t StartSockgate(
    const std::vector<std::string>& arguments, const std::string& error_file,
    const std::function<void()>& prepare = [] {});

// Waits until it ends: the exit status, or minus the signal.
int AwaitSockgate(pid_t pid);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_TOOL_COMMAND_H_
