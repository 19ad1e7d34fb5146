// Where `sockgate fetch` puts bodies: files, terminals, readers that go away; and what Ctrl-C leaves.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/integration/pipe_text.h"
#include "tests/integration/server_process.h"
#include "tests/tool/command.h"
#include "tests/tool/fetch/fetch_folder.h"
#include "tests/tool/fetch/scripted_server.h"
#include "tests/tool/terminal_session.h"

namespace sockgate::testing {
namespace {

using Names = std::set<std::string>;

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

bool ComesTrue(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

class FetchOutput : public ::testing::Test {
 protected:
  FetchOutput() : server_({}), allow_(absl::StrCat("127.0.0.1:", server_.port())) {}

  CommandResult Fetch(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"fetch", "--allow", allow_});
    return RunSockgate(arguments);
  }

  // More than anybody will read, to standard output.
  pid_t StartManyBytesInto(Pipe* out) const {
    const pid_t pid = StartSockgate({"fetch", "--allow", allow_, server_.Url("/bytes/100000000")},
                                    folder_.In("err"), [&] { dup2(out->writer.get(), 1); });
    out->writer.Reset();
    return pid;
  }

  ServerProcess server_;
  const std::string allow_;
  const FetchFolder folder_;
};

TEST_F(FetchOutput, WhatFailsLeavesNoFile) {
  EXPECT_EQ(Fetch({"-f", "-o", folder_.In("a"), server_.Url("/status/404")}).status, 22);
  EXPECT_EQ(Fetch({"-m", "0.2", "-o", folder_.In("a"), server_.Url("/slow/5000")}).status, 28);
  EXPECT_EQ(folder_.Names(), Names{});
  folder_.Write("a", "before");
  EXPECT_EQ(Fetch({"-f", "-o", folder_.In("a"), server_.Url("/status/404")}).status, 22);
  EXPECT_EQ(folder_.Read("a"), "before");
}

TEST_F(FetchOutput, AnEmptyBodyIsAnEmptyFile) {
  EXPECT_EQ(Fetch({"-o", folder_.In("a"), server_.Url("/status/204")}).status, 0);
  EXPECT_EQ(folder_.Names(), Names{"a"});
}

TEST_F(FetchOutput, NamesComeFromUrlsAndExistingFilesStayIfAskedTo) {
  const std::string url = server_.Url("/bytes/10?x=../../y");
  EXPECT_EQ(Fetch({"-O", "--output-dir", folder_.path(), url}).status, 0);
  EXPECT_EQ(Fetch({"-O", "--no-clobber", "--output-dir", folder_.path(), url}).status, 0);
  EXPECT_EQ(folder_.Names(), (Names{"10", "10.1"}));
  EXPECT_EQ(Fetch({"-O", "--output-dir", folder_.path(), server_.Url("/bytes/")}).status, 23);
  EXPECT_EQ(Fetch({"-O", "--output-dir", folder_.In("none"), url}).status, 2);
}

TEST_F(FetchOutput, AFileThatCannotBeMadeIsSaidAndNothingFetched) {
  const ScriptedServer server({HttpReplyText("200 OK", "x")});
  const CommandResult result = RunSockgate(
      {"fetch", "--allow", server.authority(), "-o", folder_.In("none/a"), server.Url()});
  EXPECT_EQ(result.status, 23);
  EXPECT_TRUE(absl::StrContains(result.err, absl::StrCat("cannot write ", folder_.In("none/a"),
                                                         ": No such file or directory")))
      << result.err;
  EXPECT_EQ(server.served(), 0U);
}

TEST_F(FetchOutput, AFullDiskIsCurlsStatus) {
  EXPECT_EQ(RunSockgateInto("/dev/full", {"fetch", "--allow", allow_, server_.Url("/bytes/9")}),
            23);
  EXPECT_EQ(Fetch({"-o", "/dev/full", server_.Url("/bytes/9")}).status, 23);
}

TEST_F(FetchOutput, ABarOnATerminalAndALineAtTheEnd) {
  const std::string list = folder_.Write(
      "list", absl::StrCat(server_.Url("/bytes/1000"), "\n", server_.Url("/slow/600")));
  TerminalSession session(
      {"fetch", "--allow", allow_, "-O", "--output-dir", folder_.path(), "--jobs", "2", "-i", list},
      24, 60);
  EXPECT_TRUE(session.Await("1/2 files  1000 B").has_value());
  EXPECT_EQ(session.AwaitEnd(), 0);
  const std::string rest = session.Rest();
  EXPECT_TRUE(absl::StrContains(rest, "\r\033[K2 of 2 files, ")) << rest;
  EXPECT_EQ(folder_.Names(), (Names{"1000", "600", "list"}));
}

TEST_F(FetchOutput, ABarFitsItsTerminal) {
  TerminalSession session({"fetch", "--allow", allow_, "-o", "/dev/null", server_.Url("/slow/500")},
                          24, 30);
  EXPECT_EQ(session.AwaitEnd(), 0);
  for (absl::string_view line : absl::StrSplit(session.Rest(), absl::ByAnyChar("\r\n"))) {
    if (absl::StartsWith(line, "done, ")) continue;
    EXPECT_LE(line.size(), 30U + 3U) << line;  // with "\033[K"
  }
}

TEST_F(FetchOutput, NothingButErrorsInAPipe) {
  EXPECT_EQ(Fetch({"-o", "/dev/null", server_.Url("/slow/300")}).err, "");
  EXPECT_EQ(Fetch({"-s", "-f", server_.Url("/status/404")}).err, "");
  EXPECT_NE(Fetch({"-s", "-S", "-f", server_.Url("/status/404")}).err, "");
}

TEST_F(FetchOutput, ATerminalObeysNoBody) {
  const ScriptedServer server({HttpReplyText("200 OK", "\x1b[2Jgr\xc3\xbc\xc3\x9f\n"),
                               HttpReplyText("200 OK", std::string("\0\x1b[2J", 5)),
                               HttpReplyText("200 OK", std::string("\0\x1b[3J", 5))});
  TerminalSession shown({"fetch", "--allow", server.authority(), server.Url()}, 24, 80);
  EXPECT_EQ(shown.AwaitEnd(), 0);
  EXPECT_EQ(shown.Rest(), "\\x1b[2Jgr\xc3\xbc\xc3\x9f\r\n");
  TerminalSession binary({"fetch", "--allow", server.authority(), server.Url()}, 24, 80);
  EXPECT_EQ(binary.AwaitEnd(), 23);
  EXPECT_TRUE(absl::StrContains(binary.Rest(), "the body is binary, and standard output is a"));
  TerminalSession asked({"fetch", "--allow", server.authority(), "-o", "-", server.Url()}, 24, 80);
  EXPECT_EQ(asked.AwaitEnd(), 0);
  EXPECT_TRUE(absl::StrContains(asked.Rest(), "\x1b[3J"));
}

// Whoever is left behind becomes this process's child.
TEST_F(FetchOutput, CtrlCLeavesNeitherFilesNorProcesses) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  TerminalSession session(
      {"fetch", "--allow", allow_, "--workers", "2", "--jobs", "2", "-o", folder_.In("a"), "-o",
       folder_.In("b"), server_.Url("/slow/60000"), server_.Url("/slow/60001")},
      24, 80);
  ASSERT_TRUE(session.Await("0/2 files").has_value());
  EXPECT_EQ(folder_.Names().size(), 2U);
  session.Type("\x03");
  EXPECT_EQ(session.AwaitEnd(), 130);
  const std::string rest = session.Rest();
  EXPECT_EQ(Count(rest, "interrupted: 0 of 2 files"), 1U) << rest;
  EXPECT_FALSE(absl::StrContains(rest, "sockgate fetch:")) << rest;
  EXPECT_EQ(folder_.Names(), Names{});
  // The test's server is a child too, and lives.
  EXPECT_TRUE(ComesTrue([] {
    int status;
    while (waitpid(-1, &status, WNOHANG) > 0) {
    }
    std::ifstream children(absl::StrCat("/proc/self/task/", getpid(), "/children"));
    size_t count = 0;
    for (pid_t child; children >> child;) ++count;
    return count <= 1;
  }));
}

TEST_F(FetchOutput, AReaderThatSleepsDoesNotKeepItFromEnding) {
  Pipe out;
  const pid_t pid = StartManyBytesInto(&out);
  char byte;
  ASSERT_EQ(read(out.reader.get(), &byte, 1), 1);
  kill(pid, SIGTERM);
  EXPECT_EQ(AwaitSockgate(pid), 143);
  EXPECT_EQ(folder_.Read("err"), "");
}

TEST_F(FetchOutput, AReaderThatHasSeenEnoughIsAWriteError) {
  Pipe out;
  const pid_t pid = StartManyBytesInto(&out);
  char byte;
  ASSERT_EQ(read(out.reader.get(), &byte, 1), 1);
  out.reader.Reset();
  EXPECT_EQ(AwaitSockgate(pid), 23);
}

}  // namespace
}  // namespace sockgate::testing
