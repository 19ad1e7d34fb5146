// The examples, each built by the line at its top and run; and the documents in docs/ that one works
// through, of which every block is used as it stands.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "proto/check.h"
#include "tests/integration/pipe_text.h"
#include "tests/integration/server_process.h"
#include "tests/packaging/installed_tree.h"
#include "tests/support/shell.h"

namespace sockgate::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kHello[] = "hello from sockgate's loopback server\n";

class Examples : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    tree_ = new InstalledTree();
    server_ = new ServerProcess({});
    fs::copy(tree_->prefix() + "/share/doc/sockgate/examples", tree_->home(),
             fs::copy_options::recursive);
  }
  static void TearDownTestSuite() {
    delete server_;
    delete tree_;
    server_ = nullptr;
    tree_ = nullptr;
  }

  // By the line at the top that calls a compiler.
  static void Build(const std::string& source) {
    for (const std::string& line : Lines(FileText(tree_->home() + "/" + source))) {
      const size_t at = line.find_first_not_of(" */");
      if (at == std::string::npos) continue;
      const std::string command = line.substr(at);
      if (!absl::StartsWith(command, "cc ") && !absl::StartsWith(command, "g++ ")) continue;
      const std::string folder = fs::path(source).parent_path().string();
      const Ran ran = tree_->Run(absl::StrCat("cd ./", folder, " && ", command, " -Wall -Wextra"));
      ASSERT_EQ(ran.status, 0) << ran.said;
      ASSERT_EQ(ran.said, "");
      return;
    }
    FAIL() << source << " does not say how to build it";
  }

  static void Write(const std::string& name, const std::string& text) {
    std::ofstream(tree_->home() + "/" + name) << text;
  }

  // Two names of loopback, by a file of the resolver's.
  static void WritePolicyOfNames() {
    Write("hosts", "127.0.0.1 a.test b.test\n");
    Write("names.toml",
          absl::StrCat("version = 1\n[resolver]\nhosts = \"", tree_->home(),
                       "/hosts\"\n[roles.fetch]\n"
                       "allow = [ { host = \"*.test\", ports = \"*\", private = true } ]\n"));
  }

  static std::string At(const std::string& host, const std::string& path) {
    return absl::StrCat("http://", host, ":", server_->port(), path);
  }

  static const InstalledTree* tree_;
  static const ServerProcess* server_;
};
const InstalledTree* Examples::tree_;
const ServerProcess* Examples::server_;

TEST_F(Examples, InC) {
  Build("fetch.c");
  const Ran ran = tree_->Run(absl::StrCat("./fetch fetch.toml ", At("127.0.0.1", "/hello")));
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.said, kHello);
  const Ran denied = tree_->Run("./fetch fetch.toml http://10.0.0.1/");
  EXPECT_EQ(denied.status, 1);
  EXPECT_EQ(denied.said,
            "fetch: http://10.0.0.1/: 10.0.0.1:80: denied (special-purpose-address)\n");
  WritePolicyOfNames();
  EXPECT_EQ(tree_->Run(absl::StrCat("./fetch names.toml ", At("a.test", "/hello"))).said, kHello);
}

TEST_F(Examples, ManyTransfersInCpp) {
  Build("crawler.cc");
  WritePolicyOfNames();
  const std::vector<std::string> urls = {At("a.test", "/hello"), At("b.test", "/bytes/100000"),
                                         At("a.test", "/bytes/1"), "http://10.0.0.1/"};
  const Ran ran = tree_->Run(
      absl::StrCat("./crawler names.toml 3 ", urls[0], " ", urls[1], " ", urls[2], " ", urls[3]));
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.said, AllOf(HasSubstr(urls[0] + ": 38 bytes, done\n"),
                              HasSubstr(urls[1] + ": 100000 bytes, done\n"),
                              HasSubstr(urls[2] + ": 1 bytes, done\n"),
                              HasSubstr(urls[3] + ": 0 bytes, 10.0.0.1:80: denied")));
}

TEST_F(Examples, ABrowsersSplit) {
  Build("browser.cc");
  const Ran ran = tree_->Run(absl::StrCat("./browser fetch.toml ", At("localhost", "/hello")));
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.said, "HELLO FROM SOCKGATE'S LOOPBACK SERVER\n");
  const Ran denied = tree_->Run("./browser fetch.toml http://10.0.0.1/");
  EXPECT_EQ(denied.status, 7);
  EXPECT_THAT(denied.said, HasSubstr("denied"));
}

TEST_F(Examples, InPython) {
  WritePolicyOfNames();
  const std::string redirect =
      absl::StrCat("'", At("a.test", "/redirect?to="), At("b.test", "/hello"), "'");
  const Ran plain = tree_->Run(absl::StrCat("./fetch.py names.toml ", At("a.test", "/hello")));
  EXPECT_EQ(plain.status, 0);
  EXPECT_EQ(plain.said, kHello);
  const Ran denied = tree_->Run("./fetch.py fetch.toml http://10.0.0.1/");
  EXPECT_EQ(denied.status, 1);
  EXPECT_THAT(denied.said, HasSubstr("fetch.py: 10.0.0.1:80: denied"));
  // A KeyError of its own, in a callback.
  EXPECT_EQ(tree_->Run("./fetch.py fetch.toml unknown://10.0.0.1/").status, 1);
  EXPECT_EQ(tree_->Run(absl::StrCat("./fetch.py names.toml ", redirect)).status, 1);
  const Ran preloaded =
      tree_->Run(absl::StrCat("LD_PRELOAD=libsockgate.so.0 ./fetch.py names.toml ", redirect));
  EXPECT_EQ(preloaded.status, 0);
  EXPECT_EQ(preloaded.said, kHello);
}

// As systemd does for a socket with Accept=yes: the connection is descriptor 3. What the service says
// on it.
std::string Ask(const std::string& program, const std::string& broker, const std::string& line) {
  int ends[2];
  SOCKGATE_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const pid_t pid = fork();
  if (pid == 0) {
    if (dup2(ends[1], 3) == 3) {
      setenv("LISTEN_FDS", "1", 1);
      setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
      execl(program.c_str(), program.c_str(), broker.c_str(), nullptr);
    }
    _exit(127);
  }
  close(ends[1]);
  const UniqueFd connection(ends[0]);
  SOCKGATE_CHECK(send(connection.get(), line.data(), line.size(), MSG_NOSIGNAL) ==
                 static_cast<ssize_t>(line.size()));
  std::string page = ReadAll(connection.get());
  int status = 0;
  waitpid(pid, &status, 0);
  return absl::StrCat(page, "(", WIFEXITED(status) ? WEXITSTATUS(status) : -1, ")");
}

TEST_F(Examples, AServiceUnderSystemd) {
  Build("systemd/preview.c");
  const std::string& home = tree_->home();
  Write("systemd/policy.toml",
        absl::StrCat("version = 1\n[[listen]]\npath = \"", home,
                     "/workers\"\nrole = \"preview\"\n[roles.preview]\n"
                     "allow = [ { cidr = \"127.0.0.0/8\", ports = \"*\" } ]\n"));
  const Ran started = tree_->Run(
      "(sockgate serve --cage none --policy systemd/policy.toml --audit audit.jsonl "
      "> serve.log 2>&1 & echo $! > pid); "
      "for i in $(seq 500); do [ -S workers ] && exit 0; sleep 0.02; done; cat serve.log; exit 1");
  ASSERT_EQ(started.status, 0) << started.said;
  setenv("LD_LIBRARY_PATH", (tree_->prefix() + "/lib").c_str(), 1);
  EXPECT_EQ(Ask(home + "/systemd/preview", home + "/workers", At("127.0.0.1", "/hello") + "\n"),
            absl::StrCat(kHello, "(0)"));
  EXPECT_EQ(Ask(home + "/systemd/preview", home + "/workers", "http://10.0.0.1/\n"), "(7)");
  unsetenv("LD_LIBRARY_PATH");
  EXPECT_EQ(tree_->Run("kill $(cat pid)").status, 0);
}

TEST_F(Examples, TheUnitsAreUnderstood) {
  if (Shell("systemd-analyze --version").status != 0) GTEST_SKIP() << "there is no systemd-analyze";
  const std::string folder = tree_->home() + "/verified";
  fs::create_directories(folder);
  for (const char* unit : {"preview@.service", "preview.socket"}) {
    std::ofstream(folder + "/" + unit)
        << absl::StrReplaceAll(FileText(tree_->home() + "/systemd/" + unit),
                               {{"/usr/local/libexec/preview", "/bin/true"}});
  }
  const Ran ran = tree_->Run(
      "cp sockgate/lib/systemd/system/sockgate.* verified && cd verified && "
      "cp preview@.service preview@1.service && "
      "SYSTEMD_UNIT_PATH=$PWD: systemd-analyze verify ./preview.socket ./preview@1.service");
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.said, "");
}

// A fenced block: in which language, the file that the line before it names, what is in it.
struct Block {
  std::string language;
  std::string file;
  std::string text;
};
std::vector<Block> BlocksOf(const std::string& document) {
  std::vector<Block> blocks;
  std::string last;
  bool within = false;
  for (const std::string& line : Lines(document)) {
    if (absl::StartsWith(line, "```")) {
      within = !within;
      if (!within) continue;
      const size_t end = last.rfind("`:");
      const size_t begin = end == std::string::npos ? end : last.rfind('`', end - 1);
      const bool named = begin != std::string::npos && end + 2 == last.size();
      blocks.push_back({line.substr(3), named ? last.substr(begin + 1, end - begin - 1) : "", ""});
    } else if (within) {
      absl::StrAppend(&blocks.back().text, line, "\n");
    } else if (!line.empty()) {
      last = line;
    }
  }
  return blocks;
}

// Writes the files of a document, and returns its commands.
std::string CommandsOf(const std::string& document, const TempFolder& work) {
  std::string commands;
  for (const Block& block : BlocksOf(FileText(document))) {
    if (block.language == "sh") {
      absl::StrAppend(&commands, block.text);
    } else if (block.language != "python") {
      EXPECT_NE(block.file, "") << block.text;
      std::ofstream(work / block.file) << block.text;
    }
  }
  return commands;
}

TEST_F(Examples, TheDocumentIsTrueWhenPasted) {
  const std::string here = fs::current_path().string();
  const TempFolder work;
  // It builds nothing here: all is built.
  std::ofstream(work / "install") << "#!/bin/sh\nexec " << here << "/install --artefacts " << here
                                  << " \"$@\"\n";
  std::string script = absl::StrCat("set -eu\ntrap 'kill $!' EXIT\nexport HOME=", work / ".",
                                    "\ncd $HOME\nchmod +x install\n");
  absl::StrAppend(&script, CommandsOf("docs/embedding.md", work));
  for (const Block& block : BlocksOf(FileText("docs/embedding.md"))) {
    if (block.language != "python") continue;  // a part of the example
    EXPECT_THAT(FileText(tree_->home() + "/fetch.py"), HasSubstr(block.text));
  }
  std::ofstream(work / "script") << script;
  const Ran ran = Shell("bash " + (work / "script"));
  EXPECT_EQ(ran.status, 0);
  std::vector<std::string> hellos;
  for (const std::string& line : Lines(ran.said)) {
    if (line == "hello from localhost") hellos.push_back(line);
  }
  EXPECT_EQ(hellos.size(), 4U) << ran.said;  // C, C by CMake, C++, Python
  EXPECT_THAT(ran.said, AllOf(HasSubstr("no_new_privs, no capabilities"),
                              HasSubstr("denied: 169.254.169.254:80: denied"),
                              HasSubstr("denied, and said so: 1\n")));
}

class Guide : public Examples {
 protected:
  Ran Paste(const std::string& document) const {
    std::ofstream(work_ / "script")
        << "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\ncd " << work_ / "."
        << "\n"
        << CommandsOf(document, work_);
    return tree_->Run("bash " + (work_ / "script"));
  }

  const TempFolder work_;
};

TEST_F(Guide, ToADaemon) {
  const Ran ran = Paste("docs/daemon.md");
  EXPECT_EQ(ran.status, 0) << ran.said;
  EXPECT_THAT(ran.said,
              AllOf(HasSubstr("hello from localhost\n"), HasSubstr("169.254.169.254:80: denied"),
                    HasSubstr("\"verdict\":\"deny\""),
                    HasSubstr("refused, and the policy of before stays: 1\n")));
  EXPECT_THAT(FileText(work_ / "sockgate.prom"), HasSubstr("# TYPE sockgate_"));
}

TEST_F(Guide, ToPolicies) {
  const Ran ran = Paste("docs/policies.md");
  EXPECT_EQ(ran.status, 0) << ran.said;
  EXPECT_THAT(ran.said,
              AllOf(HasSubstr("169.254.169.254:80 for role fetch: deny: special-purpose-address"),
                    HasSubstr("rebound.example:443 for role fetch: deny: own-address"),
                    HasSubstr("example.com:443 for role fetch: allow by rule 1 (line 5)"),
                    HasSubstr("10.20.30.9:5432 for role orders: deny by rule 3"),
                    HasSubstr("www.no-robots.example:443 for role crawl: deny by rule 3"),
                    HasSubstr("localhost:22 for role dev: deny: no-rule-matches")));
}

}  // namespace
}  // namespace sockgate::testing
