// The manual pages and the help texts say the same of the options that there are, and fit.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "library/sockgate.h"
#include "tests/tool/command.h"

namespace sockgate::testing {
namespace {

using Options = std::set<std::string>;

std::string Help(const std::string& command) {
  std::vector<std::string> arguments = {"--help"};
  if (!command.empty()) arguments.insert(arguments.begin(), command);
  const CommandResult result = RunSockgate(arguments);
  EXPECT_EQ(result.status, 0) << command << ": " << result.err;
  return result.out;
}

std::string Page(const std::string& name) {
  std::stringstream text;
  text << std::ifstream(absl::StrCat("tool/man/", name)).rdbuf();
  EXPECT_NE(text.str(), "") << name;
  return text.str();
}

// What follows ".Ss COMMAND" up to the next section.
std::string Subsection(const std::string& page, const std::string& command) {
  for (const absl::string_view section : absl::StrSplit(page, "\n.Ss ")) {
    if (absl::StartsWith(section, absl::StrCat(command, " ")) ||
        absl::StartsWith(section, absl::StrCat(command, "\n"))) {
      return std::string(section.substr(0, section.find("\n.Sh ")));
    }
  }
  ADD_FAILURE() << "no section on " << command;
  return "";
}

Options Found(const std::string& text, const char* pattern, const std::string& before) {
  Options found;
  const std::regex option(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), option), end; at != end; ++at) {
    found.insert(absl::StrCat(before, at->str(1)));
  }
  return found;
}

Options OptionsOfHelp(const std::string& help) {
  Options options = Found(help, "(?:^|\\s)--([a-z][a-z-]+)", "--");
  options.merge(Found(help, "(?:^|\\s)-([A-Za-z]), --", "-"));
  return options;
}

Options OptionsOfPage(const std::string& page) {
  std::string items;
  for (const absl::string_view line : absl::StrSplit(page, '\n')) {
    if (absl::StartsWith(line, ".It Fl")) absl::StrAppend(&items, line, "\n");
  }
  Options options = Found(items, "Fl Fl ([a-z-]+)", "--");
  options.merge(Found(items, "Fl ([A-Za-z]) ,", "-"));
  return options;
}

TEST(ManPageTest, EachCommandsOptionsAreThoseOfItsPage) {
  EXPECT_EQ(OptionsOfPage(Page("sockgate-fetch.1")), OptionsOfHelp(Help("fetch")));
  EXPECT_EQ(OptionsOfPage(Page("sockgate-serve.8")), OptionsOfHelp(Help("serve")));
  const std::string others = Page("sockgate.1");
  EXPECT_EQ(OptionsOfPage(others.substr(0, others.find("\n.Ss "))), OptionsOfHelp(Help("")));
  for (const char* command :
       {"check-policy", "explain", "learn", "status", "metrics", "reload", "rotate", "revoke"}) {
    EXPECT_EQ(OptionsOfPage(Subsection(others, command)), OptionsOfHelp(Help(command))) << command;
  }
}

TEST(ManPageTest, EachCommandHasItsPlace) {
  const std::string page = Page("sockgate.1");
  const CommandResult help = RunSockgate({"--help"});
  const Options commands = Found(help.out, "\n  ([a-z][a-z-]+) ", "");
  EXPECT_GE(commands.size(), 10U) << help.out;
  for (const std::string& command : commands) {
    EXPECT_TRUE(absl::StrContains(page, absl::StrCat(".It Ic ", command, "\n")) ||
                absl::StrContains(page, absl::StrCat("\n.Ss ", command)))
        << command;
  }
}

TEST(ManPageTest, HelpNamesTheCommandsPage) {
  const Options commands = Found(RunSockgate({"--help"}).out, "\n  ([a-z][a-z-]+) ", "");
  for (const std::string& command : commands) {
    const bool own = command == "fetch" || command == "serve";
    const std::string page = own ? absl::StrCat("sockgate-", command) : "sockgate";
    EXPECT_TRUE(absl::EndsWith(Help(command), absl::StrCat("man ", page, "\n"))) << command;
  }
}

TEST(ManPageTest, TheVersionIsThatOfTheHeader) {
  for (const char* option : {"--version", "-V"}) {
    const CommandResult result = RunSockgate({option});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_TRUE(std::regex_match(
        result.out, std::regex(absl::StrCat("sockgate ", SOCKGATE_VERSION,
                                            "\nlibcurl [0-9.]+ \\(.*\\), libseccomp [0-9.]+, "
                                            "c-ares [0-9.]+\n"))))
        << result.out;
  }
}

TEST(ManPageTest, AWrongCommandLineSaysWhatToWriteInstead) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"fetch --jbos 4 http://a", "sockgate fetch: there is no option '--jbos' (try '--jobs')"},
      {"fetch --jbos=4 http://a", "sockgate fetch: there is no option '--jbos' (try '--jobs')"},
      {"fetch -j http://a",
       "sockgate fetch: there is no option '-j' (try 'sockgate fetch --help')"},
      {"fetch --policy x --allow y:1 http://a",
       "sockgate fetch: --policy and --allow do not go together: write what --allow says into the "
       "policy file"},
      {"fetch --role x http://a",
       "sockgate fetch: --role goes with --policy: write --policy FILE too"},
      {"fetch --jobs", "sockgate fetch: --jobs has no value: write --jobs N"},
      {"fetch --jobs 0 http://a", "sockgate fetch: --jobs: Value 0 not in range 1 to 500"},
      {"fetch --json=x http://a", "sockgate fetch: --json cannot be 'x'"},
      {"serve --policy x --listen y",
       "sockgate serve: --policy and --listen do not go together: write what --listen says into "
       "the policy file"},
      {"status",
       "sockgate status: write --control PATH, which is missing (try 'sockgate status "
       "--help')"},
      {"status --contorl x", "sockgate status: there is no option '--contorl' (try '--control')"},
      {"status --control x --control y", "sockgate status: --control is there more than once"},
      {"status --control x y",
       "sockgate status: 'y' is one argument too many (try 'sockgate status --help')"},
      {"check-policy",
       "sockgate check-policy: write FILE, which is missing (try 'sockgate check-policy --help')"},
      {"fech x", "sockgate: there is no command 'fech' (try 'fetch')"},
      {"--hlep", "sockgate: there is no option '--hlep' (try '--help')"},
      {"", "sockgate: there is no command (try 'sockgate --help')"},
  };
  for (const auto& [line, said] : cases) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    const CommandResult result = RunSockgate(words);
    EXPECT_EQ(result.status, 2) << line;
    EXPECT_EQ(result.err, absl::StrCat(said, "\n")) << line;
  }
}

TEST(ManPageTest, HelpFitsAScreen) {
  std::vector<std::string> texts = {RunSockgate({"--help"}).out};
  for (const std::string& command : Found(texts[0], "\n  ([a-z][a-z-]+) ", "")) {
    texts.push_back(Help(command));
  }
  for (const std::string& text : texts) {
    const std::vector<std::string> lines = absl::StrSplit(text, '\n');
    EXPECT_LE(lines.size() - 1, 24U) << text;
    for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
  }
}

// With whatever of the two is here.
TEST(ManPageTest, PagesAreWellFormed) {
  for (const char* name : {"sockgate.1", "sockgate-fetch.1", "sockgate-serve.8"}) {
    for (const char* check : {"command -v man >/dev/null && man --warnings -l %s 2>&1 >/dev/null",
                              "command -v mandoc >/dev/null && mandoc -Tlint -Wwarning %s 2>&1"}) {
      const std::string command =
          std::regex_replace(check, std::regex("%s"), absl::StrCat("tool/man/", name));
      FILE* const pipe = popen(command.c_str(), "r");
      ASSERT_NE(pipe, nullptr);
      std::string said;
      for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) said.push_back(static_cast<char>(c));
      pclose(pipe);
      EXPECT_EQ(said, "") << command;
    }
  }
}

}  // namespace
}  // namespace sockgate::testing
