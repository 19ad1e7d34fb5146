#include "tests/tool/command.h"

#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "proto/check.h"
#include "tests/integration/pipe_text.h"

namespace sockgate::testing {
namespace {

// Where Bazel puts a `data` dependency, from the directory that tests start in.
constexpr char kProgram[] = "tool/sockgate";

}  // namespace

void ExecuteSockgate(const std::vector<std::string>& arguments) {
  std::vector<char*> argv = {const_cast<char*>(kProgram)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(kProgram, argv.data());
  perror(kProgram);
  _exit(127);
}

CommandResult RunSockgate(const std::vector<std::string>& arguments) {
  Pipe out;
  const UniqueFd err(open(::getenv("TEST_TMPDIR"), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  SOCKGATE_CHECK(err.valid());
  const pid_t pid = fork();
  SOCKGATE_CHECK(pid >= 0);
  if (pid == 0) {
    dup2(out.writer.get(), STDOUT_FILENO);
    dup2(err.get(), STDERR_FILENO);
    ExecuteSockgate(arguments);
  }
  out.writer.Reset();
  CommandResult result;
  result.out = ReadAll(out.reader.get());
  result.status = AwaitSockgate(pid);
  lseek(err.get(), 0, SEEK_SET);
  result.err = ReadAll(err.get());
  return result;
}

int RunSockgateInto(const std::string& file, const std::vector<std::string>& arguments) {
  const pid_t pid = fork();
  SOCKGATE_CHECK(pid >= 0);
  if (pid == 0) {
    dup2(open(file.c_str(), O_WRONLY), STDOUT_FILENO);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    ExecuteSockgate(arguments);
  }
  return AwaitSockgate(pid);
}

std::string TerminalOutput(const std::vector<std::string>& arguments) {
  int master = -1;
  int terminal = -1;
  SOCKGATE_CHECK(openpty(&master, &terminal, nullptr, nullptr, nullptr) == 0);
  const UniqueFd reader(master);
  UniqueFd writer(terminal);
  const pid_t pid = fork();
  SOCKGATE_CHECK(pid >= 0);
  if (pid == 0) {
    dup2(writer.get(), STDERR_FILENO);
    dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
    ExecuteSockgate(arguments);
  }
  writer.Reset();
  std::string text = ReadAll(reader.get());  // ends with EIO when the last writer has gone
  waitpid(pid, nullptr, 0);
  return text;
}

pid_t StartSockgate(const std::vector<std::string>& arguments, const std::string& error_file,
                    const std::function<void()>& prepare) {
  const pid_t pid = fork();
  SOCKGATE_CHECK(pid >= 0);
  if (pid == 0) {
    UniqueFd err(open(error_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    dup2(err.get(), STDERR_FILENO);
    err.Reset();
    prepare();
    ExecuteSockgate(arguments);
  }
  return pid;
}

int AwaitSockgate(pid_t pid) {
  int status = 0;
  SOCKGATE_CHECK(waitpid(pid, &status, 0) == pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace sockgate::testing
