// The commands of the README and of docs/troubleshooting.md, run as they stand,
// in the order in which they stand. There is no network here, so a fetch may
// fail as one does without a network, but none may fail for what was written.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "tests/broker/temp_folder.h"
#include "tests/support/shell.h"

namespace sockgate::testing {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kIndent = "    ";
constexpr absl::string_view kProgram = "bazel-bin/tool/sockgate ";

// Of curl's, and those that the README's table has: denied, over a limit, no
// name server.
bool FailsForWantOfNetwork(int status) { return status == 6 || status == 7 || status == 120; }

class ReadmeCommands : public ::testing::Test {
 protected:
  ReadmeCommands() {
    const fs::path here = fs::current_path();
    fs::create_directories(work_ / "bazel-bin/tool");
    fs::create_symlink(here / "tool/sockgate", work_ / "bazel-bin/tool/sockgate");
    fs::create_symlink(here / "broker", work_ / "broker");
    std::ofstream(work_ / "urls.txt") << "http://127.0.0.1/one\n";
    std::ofstream(work_ / "report") << "all is well\n";
    fs::create_directory(work_ / "pages");
    std::ofstream(work_ / "policy.toml") << Here(Policy());
  }

  // The first policy of the README, whose paths are in /tmp.
  static std::string Policy() {
    const std::string readme = FileText("README.md");
    const size_t begin = readme.find("```toml\n") + 8;
    return readme.substr(begin, readme.find("```", begin) - begin);
  }
  std::string Here(const std::string& text) const {
    return absl::StrReplaceAll(text, {{"/tmp/fetcher", work_ / "fetcher"}});
  }

  std::vector<std::string> CommandsOf(const std::string& document) const {
    std::vector<std::string> commands;
    for (const std::string& line : Lines(FileText(document))) {
      absl::string_view command = line;
      if (!absl::ConsumePrefix(&command, kIndent)) continue;
      if (absl::StartsWith(command, kProgram)) commands.push_back(Here(std::string{command}));
    }
    return commands;
  }

  Ran Run(const std::string& command) const {
    return Shell(absl::StrCat("cd ", work_ / ".", " && ", command));
  }

  Ran Serve(const std::string& command) const {
    return Run(absl::StrCat(
        "(", command, " > serve.log 2>&1 & echo $! > pid); for i in $(seq 500); do ", kProgram,
        "status --control fetcher.control > status 2>&1 && exit 0; sleep 0.02; "
        "done; ",
        "cat serve.log; exit 1"));
  }

  const TempFolder work_;
};

TEST_F(ReadmeCommands, AreRightAsTheyStand) {
  std::vector<std::string> commands = CommandsOf("README.md");
  ASSERT_GE(commands.size(), 15U);
  for (std::string& command : CommandsOf("docs/troubleshooting.md")) commands.push_back(command);
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    if (absl::StrContains(command, " serve ")) {
      const Ran ran = Serve(command);
      ASSERT_EQ(ran.status, 0) << ran.said;
      continue;
    }
    const bool watches = absl::StrContains(command, "--watch");
    const Ran ran = Run(absl::StrCat("timeout -s INT ", watches ? 1 : 30, " ", command));
    const bool explains = absl::StrContains(command, " explain ");
    const bool right = ran.status == 0 || (watches && ran.status == 124) ||
                       (explains && ran.status == 1) ||
                       (absl::StrContains(command, " fetch ") && FailsForWantOfNetwork(ran.status));
    EXPECT_TRUE(right) << "exit status " << ran.status << "\n" << ran.said;
  }
  EXPECT_EQ(Run("kill $(cat pid)").status, 0);
}

}  // namespace
}  // namespace sockgate::testing
