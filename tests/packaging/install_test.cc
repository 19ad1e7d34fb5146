// What ./install leaves behind, and that programs find it there: by pkg-config, by CMake, by systemd.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/packaging/installed_tree.h"
#include "tests/support/shell.h"

namespace sockgate::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class Installed : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { tree_ = new InstalledTree(); }
  static void TearDownTestSuite() {
    delete tree_;
    tree_ = nullptr;
  }

  static void Write(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(tree_->home() + "/" + name).parent_path());
    std::ofstream(tree_->home() + "/" + name) << text;
  }

  static const InstalledTree* tree_;
};
const InstalledTree* Installed::tree_;

constexpr char kVersionProgram[] =
    "#include <sockgate/sockgate.h>\n#include <stdio.h>\n"
    "int main(void) { return puts(sockgate_version()) < 0; }\n";

std::set<std::string> FilesBeneath(const std::string& folder) {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) files.insert(entry.path().string());
  }
  return files;
}

TEST_F(Installed, TheManifestHasAllAndNothingElse) {
  const auto lines = Lines(tree_->Text("share/sockgate/manifest"));
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()), FilesBeneath(tree_->prefix()));
}

TEST_F(Installed, EverybodyMayReadIt) {
  for (const auto& entry : fs::recursive_directory_iterator(tree_->prefix())) {
    const fs::perms wanted = entry.is_directory() ? fs::perms::others_read | fs::perms::others_exec
                                                  : fs::perms::others_read;
    EXPECT_EQ(entry.status().permissions() & wanted, wanted) << entry.path();
  }
}

TEST_F(Installed, APackageIsMadeBeneathAnotherFolder) {
  const TempFolder package;
  const Ran ran = InstalledTree::Install(absl::StrCat(
      "--prefix /usr --destdir ", fs::relative(package / ".", fs::current_path()).string()));
  ASSERT_EQ(ran.status, 0) << ran.said;
  EXPECT_THAT(FileText(package / "usr/lib/pkgconfig/sockgate.pc"), HasSubstr("prefix=/usr\n"));
  EXPECT_THAT(FileText(package / "usr/lib/systemd/system/sockgate.service"),
              HasSubstr("ExecStart=/usr/bin/sockgate serve "));
  EXPECT_TRUE(fs::exists(package / "usr/lib/libsockgate.so"));  // not dangling
  const std::string manifest = FileText(package / "usr/share/sockgate/manifest");
  for (const std::string& line : Lines(manifest)) EXPECT_TRUE(absl::StartsWith(line, "/usr/"));
  EXPECT_THAT(manifest, HasSubstr("/usr/bin/sockgate\n"));
}

TEST_F(Installed, WhatItDoesNotUnderstandItSays) {
  EXPECT_EQ(InstalledTree::Install("--prefix relative").status, 2);
  EXPECT_EQ(InstalledTree::Install("--perfix /usr").status, 2);
  const Ran ran = InstalledTree::Install("--prefix");
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.said, HasSubstr("--destdir DIR"));
}

TEST_F(Installed, WhereItCannotBeItSaysBeforeItBuilds) {
  const TempFolder folder;
  std::ofstream(folder / "file") << "";
  const std::string there = absl::StrCat(" --artefacts /nowhere --destdir ", folder / "");
  for (const char* prefix : {"'/a b'", "'/a|b'", "'/a&b'", "'/a\nb'", "/\u00e9"}) {
    const Ran ran = InstalledTree::Install(absl::StrCat("--prefix ", prefix, there));
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.said, HasSubstr("a prefix may have")) << prefix;
  }
  const Ran ran = InstalledTree::Install(absl::StrCat("--prefix /file/usr", there));
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.said, HasSubstr("/file/usr/ cannot be written"));
}

TEST_F(Installed, TheCommandRuns) {
  EXPECT_EQ(
      tree_->Run("sockgate check-policy sockgate/share/doc/sockgate/policies/crawler.toml").status,
      0);
}

TEST_F(Installed, UnitsAndLogrotateNameIt) {
  const std::string command = tree_->prefix() + "/bin/sockgate ";
  EXPECT_THAT(tree_->Text("lib/systemd/system/sockgate.service"),
              HasSubstr("ExecStart=" + command));
  EXPECT_THAT(tree_->Text("share/sockgate/logrotate.d/sockgate"), HasSubstr(command + "rotate"));
  if (Shell("systemd-analyze --version").status != 0) GTEST_SKIP() << "there is no systemd-analyze";
  const Ran verify = tree_->Run(
      "systemd-analyze verify sockgate/lib/systemd/system/sockgate.service "
      "sockgate/lib/systemd/system/sockgate.socket");
  EXPECT_EQ(verify.status, 0);
  EXPECT_EQ(verify.said, "");
}

// Names such as "client/channel.h" might be those of the program's own headers.
TEST_F(Installed, HeadersIncludeEachOtherByTheirInstalledNames) {
  const std::regex include("#include \"([^\"]+)\"");
  int own = 0;
  for (const std::string& file : FilesBeneath(tree_->prefix() + "/include")) {
    const std::string text = FileText(file);
    for (std::sregex_iterator i(text.begin(), text.end(), include), end; i != end; ++i) {
      const std::string name = (*i)[1];
      if (absl::StartsWith(name, "absl/")) continue;
      EXPECT_TRUE(absl::StartsWith(name, "sockgate/")) << file << ": " << name;
      EXPECT_TRUE(fs::exists(tree_->prefix() + "/include/" + name)) << file << ": " << name;
      ++own;
    }
  }
  EXPECT_GT(own, 50);
}

TEST_F(Installed, CFindsItByPkgConfig) {
  Write("version.c", kVersionProgram);
  const Ran shared = tree_->Run(
      "cc -std=c99 -Wall -Wextra -pedantic -Werror version.c -o version "
      "$(pkg-config --cflags --libs sockgate) && ./version && pkg-config --modversion sockgate");
  EXPECT_EQ(shared.status, 0);
  EXPECT_EQ(shared.said, "0.1.0\n0.1.0\n");
  EXPECT_THAT(tree_->Run("ldd version").said, HasSubstr(tree_->prefix() + "/lib/libsockgate.so.0"));
}

TEST_F(Installed, CLinksTheArchive) {
  Write("version.c", kVersionProgram);
  for (const char* options : {
           "$(pkg-config --cflags --libs sockgate-static)",
           // What --static adds is what the archive needs.
           "-Wl,-Bstatic $(pkg-config --cflags --libs sockgate) -Wl,-Bdynamic "
           "$(pkg-config --static --libs-only-l sockgate | sed s/-lsockgate//)",
       }) {
    const Ran ran =
        tree_->Run(absl::StrCat("cc version.c -o static ", options, " && ./static && ldd static"));
    EXPECT_EQ(ran.status, 0) << ran.said;
    EXPECT_THAT(ran.said, HasSubstr("0.1.0\n"));
    EXPECT_THAT(ran.said, Not(HasSubstr("libsockgate")));
  }
}

TEST_F(Installed, CMakeFindsBothLibraries) {
  Write("cmake/version.c", kVersionProgram);
  Write("cmake/CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.16)\nproject(version C)\n"
        "find_package(Sockgate ${WANTED} REQUIRED)\n"
        "add_executable(shared version.c)\ntarget_link_libraries(shared sockgate::sockgate)\n"
        "add_executable(static version.c)\ntarget_link_libraries(static sockgate::static)\n");
  const std::string configure =
      absl::StrCat("cmake -S cmake -B built -DCMAKE_PREFIX_PATH=", tree_->prefix(), " -DWANTED=");
  const Ran ran =
      tree_->Run(configure + "0.1 && cmake --build built && built/shared && built/static");
  EXPECT_EQ(ran.status, 0) << ran.said;
  EXPECT_TRUE(absl::EndsWith(ran.said, "0.1.0\n0.1.0\n")) << ran.said;
  const Ran newer = tree_->Run(configure + "0.2");
  EXPECT_NE(newer.status, 0);
  EXPECT_THAT(newer.said, HasSubstr("0.1.0"));
}

TEST_F(Installed, TheManualSpeaksOfWhatThereIs) {
  const std::string manual = tree_->Text("share/man/man3/sockgate.3");
  const std::string header = tree_->Text("include/sockgate/sockgate.h");
  const std::regex name("SOCKGATE_[A-Z_]+|sockgate_[a-z_]+");
  int names = 0;
  for (std::sregex_iterator i(manual.begin(), manual.end(), name), end; i != end; ++i, ++names) {
    EXPECT_THAT(header, HasSubstr(i->str()));
  }
  EXPECT_GT(names, 50);
}

}  // namespace
}  // namespace sockgate::testing
