// The README's program does what the README says.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/integration/pipe_text.h"
#include "tests/integration/server_process.h"

namespace sockgate::testing {
namespace {

struct Ended {
  int status;
  std::string output;
};

Ended RunExample(const std::string& url) {
  Pipe output;
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(output.writer.get(), STDOUT_FILENO);
    dup2(output.writer.get(), STDERR_FILENO);
    execl("tests/readme/readme_example", "readme_example", url.c_str(), nullptr);
    _exit(127);
  }
  output.writer.Reset();
  Ended ended;
  ended.output = ReadAll(output.reader.get());
  waitpid(pid, &ended.status, 0);
  return ended;
}

TEST(ReadmeExample, FetchesFromLoopback) {
  ServerProcess server({});
  const Ended ended = RunExample(server.Url("/hello"));
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_EQ(ended.output, "hello from sockgate's loopback server\n");
}

TEST(ReadmeExample, IsDeniedElsewhere) {
  const Ended ended = RunExample("http://192.0.2.1/");
  EXPECT_EQ(WEXITSTATUS(ended.status), 7);
  EXPECT_EQ(ended.output, "192.0.2.1:80: denied by the default (no-rule-matches)\n");
}

TEST(ReadmeExample, ItsBrokerJudgesNames) {
  const Ended ended = RunExample("http://elsewhere.example/");
  EXPECT_EQ(WEXITSTATUS(ended.status), 6);
  EXPECT_EQ(ended.output, "elsewhere.example: denied by the default (no-rule-matches)\n");
}

}  // namespace
}  // namespace sockgate::testing
