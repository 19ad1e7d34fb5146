// `sockgate fetch` with many URLs: workers, jobs, results, the policy that holds for all of them.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "tests/integration/server_process.h"
#include "tests/tool/command.h"
#include "tests/tool/fetch/fetch_folder.h"

namespace sockgate::testing {
namespace {

class FetchMany : public ::testing::Test {
 protected:
  FetchMany() : server_({}), allow_(absl::StrCat("127.0.0.1:", server_.port())) {}

  std::string List(int count) const {
    std::string list = "# sizes\n";
    for (int i = 1; i <= count; ++i) absl::StrAppend(&list, server_.Url("/bytes/"), i * 100, "\n");
    return list;
  }

  ServerProcess server_;
  const std::string allow_;
  const FetchFolder folder_;
};

TEST_F(FetchMany, AListIsFetchedByManyAtOnce) {
  const std::string list = folder_.Write("list", List(60));
  const CommandResult result = RunSockgate({"fetch", "--allow", allow_, "--jobs", "10", "--workers",
                                            "2", "-O", "--output-dir", folder_.path(), "-i", list});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(folder_.Names().size(), 61U);
  for (int i = 1; i <= 60; ++i) {
    const std::string name = absl::StrCat(i * 100);
    EXPECT_EQ(folder_.Read(name).size(), static_cast<size_t>(i * 100)) << name;
  }
}

TEST_F(FetchMany, NoMoreAreUnderWayThanFilesMayBeOpen) {
  const std::string list = folder_.Write("list", List(90));
  const pid_t pid = StartSockgate({"fetch", "--allow", allow_, "--jobs", "100", "-O",
                                   "--output-dir", folder_.path(), "-i", list},
                                  folder_.In("err"), [] {
                                    const rlimit few = {64, 64};
                                    setrlimit(RLIMIT_NOFILE, &few);
                                  });
  EXPECT_EQ(AwaitSockgate(pid), 0) << folder_.Read("err");
  EXPECT_EQ(folder_.Names().size(), 92U);
}

TEST_F(FetchMany, AListMayComeFromStandardInput) {
  const std::string list = folder_.Write("list", List(3));
  const pid_t pid =
      StartSockgate({"fetch", "--allow", allow_, "-i", "-", "-O", "--output-dir", folder_.path()},
                    folder_.In("err"), [&] { freopen(list.c_str(), "r", stdin); });
  EXPECT_EQ(AwaitSockgate(pid), 0);
  EXPECT_EQ(folder_.Read("300").size(), 300U);
}

// In whatever order they end, each as a whole.
TEST_F(FetchMany, BodiesOnStandardOutputDoNotMix) {
  std::vector<std::string> arguments = {"fetch", "--allow", allow_, "--jobs", "8"};
  for (int i = 0; i < 8; ++i) {
    arguments.insert(arguments.end(),
                     {"--data-raw", std::string(20000, static_cast<char>('a' + i))});
  }
  // One body of eight runs of letters, posted eight times and echoed.
  for (int i = 0; i < 8; ++i) arguments.push_back(server_.Url("/echo"));
  const CommandResult result = RunSockgate(arguments);
  EXPECT_EQ(result.status, 0) << result.err;
  const size_t whole = 8 * 20000 + 7;
  ASSERT_EQ(result.out.size(), 8 * whole);
  for (size_t i = 1; i < 8; ++i) {
    EXPECT_EQ(result.out.substr(0, whole), result.out.substr(i * whole, whole)) << i;
  }
}

TEST_F(FetchMany, ResultsSayWhatBecameOfEach) {
  const CommandResult result =
      RunSockgate({"fetch", "--json", "-f", "-L", "--allow", allow_, server_.Url("/bytes/5"),
                   server_.Url("/status/404"), server_.Url("/redirect?to=http://169.254.169.254/"),
                   "-o", folder_.In("five")});
  EXPECT_EQ(result.status, 120);
  std::istringstream lines(result.out);
  std::vector<nlohmann::json> results;
  for (std::string line; std::getline(lines, line);) results.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(results.size(), 3U) << result.out;
  EXPECT_EQ(results[0]["exit_status"], 0);
  EXPECT_EQ(results[0]["status"], 200);
  EXPECT_EQ(results[0]["bytes"], 5);
  EXPECT_EQ(results[0]["file"], folder_.In("five"));
  EXPECT_EQ(results[0]["address"], "127.0.0.1");
  EXPECT_EQ(results[0]["verdict"], "allowed");
  EXPECT_EQ(results[0]["rule"], absl::StrCat("--allow ", allow_));
  EXPECT_GT(results[0]["seconds"]["total"], 0);
  EXPECT_TRUE(results[0]["error"].is_null());
  EXPECT_EQ(results[1]["exit_status"], 22);
  EXPECT_EQ(results[1]["status"], 404);
  EXPECT_EQ(results[2]["number"], 3);
  EXPECT_EQ(results[2]["exit_status"], 120);
  EXPECT_EQ(results[2]["verdict"], "denied");
  EXPECT_EQ(results[2]["reason"], "no-rule-matches");
  EXPECT_EQ(results[2]["address"], "169.254.169.254");
  EXPECT_EQ(results[2]["effective_url"], "http://169.254.169.254/");
  EXPECT_TRUE(absl::StrContains(std::string(results[2]["error"]), "a cloud's metadata service"));
}

TEST_F(FetchMany, OneThatFailsKeepsNoOtherFromItsEnd) {
  const CommandResult result =
      RunSockgate({"fetch", "--jobs", "3", "--allow", allow_, "http://192.0.2.1/",
                   server_.Url("/bytes/7"), server_.Url("/close")});
  EXPECT_EQ(result.out.size(), 7U);
  EXPECT_TRUE(result.status == 52 || result.status == 120) << result.err;
  EXPECT_TRUE(absl::StrContains(result.err, "http://192.0.2.1/: (120) ")) << result.err;
  EXPECT_TRUE(absl::StrContains(result.err, "/close: (52) ")) << result.err;
}

// As curl has it for one: -O without a name, no URL, a scheme that is not spoken.
TEST_F(FetchMany, ALineOfAListFailsAloneAndIsNamed) {
  const std::string list = folder_.Write(
      "list", absl::StrCat(server_.Url("/bytes/1"), "\n", server_.Url("/"),
                           "\nhttp://a b/\nfile:///etc/passwd\n", server_.Url("/bytes/2"), "\n"));
  const CommandResult result = RunSockgate(
      {"fetch", "--json", "--allow", allow_, "--output-dir", folder_.path(), "-O", "-i", list});
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_EQ(folder_.Names(), (std::set<std::string>{"1", "2", "list"}));
  const std::string nameless =
      absl::StrCat(list, ":2: ", server_.Url("/"), ": (23) -O: it has no file name at its end");
  const size_t first = result.err.find(nameless);
  const size_t second = result.err.find(absl::StrCat(list, ":3: http://a b/: (3) "));
  const size_t third =
      result.err.find(absl::StrCat(list, ":4: file:///etc/passwd: (1) Protocol \"file\""));
  EXPECT_LT(first, second) << result.err;
  EXPECT_LT(second, third) << result.err;
  EXPECT_NE(third, std::string::npos) << result.err;
  std::istringstream lines(result.out);
  std::string statuses;
  for (std::string line; std::getline(lines, line);) {
    absl::StrAppend(&statuses, int{nlohmann::json::parse(line)["exit_status"]}, " ");
  }
  EXPECT_EQ(statuses, "0 23 3 1 0 ");
}

// `sockgate fetch ... | head`: what is under way is for nobody, and no half of it is left.
TEST_F(FetchMany, AReaderThatHasGoneEndsAll) {
  for (const char* results : {"--jobs=2", "--json"}) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto begun = std::chrono::steady_clock::now();
    const pid_t pid =
        StartSockgate({"fetch", results, "--allow", allow_, "--output-dir", folder_.path(), "-o",
                       "half", server_.Url("/slow/60000"), server_.Url("/bytes/1000")},
                      folder_.In("err"), [&] {
                        dup2(ends[1], STDOUT_FILENO);
                        close(ends[0]);
                        close(ends[1]);
                      });
    close(ends[0]);
    close(ends[1]);
    EXPECT_EQ(AwaitSockgate(pid), 23) << results;
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20)) << results;
    EXPECT_TRUE(absl::StrContains(folder_.Read("err"), "(23) cannot write standard output: its"))
        << folder_.Read("err");
    EXPECT_EQ(folder_.Names(), std::set<std::string>{"err"}) << results;
  }
}

TEST_F(FetchMany, APolicyFilesRoleHoldsAndIsNamed) {
  const std::string policy = folder_.Write(
      "policy.toml", absl::StrCat("version = 1\n[roles.here]\nallow = [\n  { cidr = \"127.0.0.1\","
                                  " ports = ",
                                  server_.port(),
                                  " },\n]\n[roles.none]\nallow = [\n"
                                  "  { public = true, ports = 443 },\n]\n"));
  const std::string url = server_.Url("/bytes/3");
  CommandResult result = RunSockgate({"fetch", "-v", "--policy", policy, "--role", "here", url});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(absl::StrContains(result.err, absl::StrCat("by rule 1 (", policy, ":4)")))
      << result.err;
  result = RunSockgate({"fetch", "--policy", policy, "--role", "none", url});
  EXPECT_EQ(result.status, 120);
  EXPECT_TRUE(absl::StrContains(result.err, absl::StrCat("; { cidr = \"127.0.0.1\", ports = ",
                                                         server_.port(), " } among the role's")))
      << result.err;
  EXPECT_EQ(RunSockgate({"fetch", "--policy", policy, url}).status, 2);
  EXPECT_EQ(RunSockgate({"fetch", "--policy", policy, "--allow", allow_, url}).status, 2);
  EXPECT_EQ(RunSockgate({"fetch", "--role", "here", url}).status, 2);
}

TEST_F(FetchMany, WhatIsDeniedIsDeniedWhateverAllowsIt) {
  const CommandResult result =
      RunSockgate({"fetch", "--allow", "127.0.0.0/8:*", "--deny", allow_, server_.Url("/hello")});
  EXPECT_EQ(result.status, 120);
  EXPECT_TRUE(absl::StrContains(result.err, absl::StrCat("which is --deny ", allow_)))
      << result.err;
}

TEST_F(FetchMany, TheRequestIsWhatTheOptionsSay) {
  CommandResult result = RunSockgate({"fetch", "--allow", allow_, "-H", "X-Taste: salty", "-H",
                                      "Accept:", server_.Url("/headers")});
  EXPECT_TRUE(absl::StrContains(result.out, "X-Taste: salty\n")) << result.out;
  EXPECT_FALSE(absl::StrContains(result.out, "Accept:")) << result.out;
  const std::string body = folder_.Write("body", "a=1\n");
  result = RunSockgate({"fetch", "--allow", allow_, "-X", "PUT", "--data-binary", "@" + body, "-d",
                        "b=2", server_.Url("/echo")});
  EXPECT_EQ(result.out, "a=1\n&b=2") << result.err;
  result = RunSockgate({"fetch", "--allow", allow_, "--compressed", server_.Url("/encoded/gzip")});
  EXPECT_EQ(result.out, "hello") << result.err;
  EXPECT_EQ(RunSockgate({"fetch", "-H", "A: b\nC: d", server_.Url("/")}).status, 2);
  EXPECT_EQ(RunSockgate({"fetch", "-X", "GET /", server_.Url("/")}).status, 2);
}

TEST_F(FetchMany, NumbersAreNumbers) {
  const std::string url = server_.Url("/hello");
  for (const char* option : {"--connect-timeout", "--max-time", "--retry-delay", "--jobs",
                             "--workers", "--max-filesize", "--retry", "--max-redirs"}) {
    for (const char* value : {"nan", "-2"}) {
      EXPECT_EQ(RunSockgate({"fetch", "--allow", allow_, option, value, url}).status, 2)
          << option << " " << value;
    }
  }
  const CommandResult serve =
      RunSockgate({"serve", "--listen", folder_.In("s"), "--finish-time", "nan"});
  EXPECT_EQ(serve.status, 2) << serve.err;
}

}  // namespace
}  // namespace sockgate::testing
