#include "tool/replaced_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

mode_t ModeOf(const std::string& path) {
  struct stat there;
  return stat(path.c_str(), &there) == 0 ? there.st_mode & 07777 : 0;
}

class ReplacedFileTest : public ::testing::Test {
 protected:
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / ".")) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  const testing::TempFolder folder_;
  const std::string path_ = folder_ / "x.prom";
};

TEST_F(ReplacedFileTest, IsMadeForAllToRead) {
  const mode_t before = umask(077);
  EXPECT_TRUE(ReplaceFile(path_, "new\n").ok());
  umask(before);
  EXPECT_EQ(Contents(path_), "new\n");
  EXPECT_EQ(ModeOf(path_), 0644U);
  EXPECT_THAT(Names(), ElementsAre("x.prom"));
}

TEST_F(ReplacedFileTest, TakesTheOldOnesPlaceAndNotItsContents) {
  std::ofstream(path_) << "old";
  std::ifstream reader(path_);
  EXPECT_TRUE(ReplaceFile(path_, "new").ok());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(reader), {}), "old");
  EXPECT_EQ(Contents(path_), "new");
  EXPECT_THAT(Names(), ElementsAre("x.prom"));
}

TEST_F(ReplacedFileTest, ANameWithoutAFolderIsHere) {
  const std::string here = std::filesystem::current_path();
  std::filesystem::current_path(folder_ / ".");
  EXPECT_TRUE(ReplaceFile("x.prom", "new").ok());
  std::filesystem::current_path(here);
  EXPECT_EQ(Contents(path_), "new");
}

// As a full disk does: it is not root who decides here.
TEST_F(ReplacedFileTest, WhatCannotBeWrittenLeavesTheOldOne) {
  std::ofstream(path_) << "old";
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {10, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = ReplaceFile(path_, std::string(100, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_THAT(std::string{status.message()},
              ::testing::StartsWith("cannot write " + path_ + ": File too large"));
  EXPECT_EQ(Contents(path_), "old");
  EXPECT_THAT(Names(), ElementsAre("x.prom"));
}

TEST_F(ReplacedFileTest, AFolderThatIsNotThereIsAnError) {
  const absl::Status missing = ReplaceFile(folder_ / "none/x.prom", "new");
  EXPECT_THAT(std::string{missing.message()}, HasSubstr("none/x.prom: there is no folder "));
}

TEST_F(ReplacedFileTest, InAFolderThatMayNotBeWrittenTheOldOneStays) {
  std::ofstream(path_) << "old";
  ASSERT_EQ(chmod((folder_ / ".").c_str(), 0555), 0);
  const uid_t user = geteuid();
  constexpr uid_t kNobody = 65534;
  if (user == 0 && seteuid(kNobody) != 0) GTEST_SKIP() << "root may write anywhere";
  const absl::Status denied = ReplaceFile(path_, "new");
  ASSERT_EQ(seteuid(user), 0);
  ASSERT_EQ(chmod((folder_ / ".").c_str(), 0700), 0);
  EXPECT_THAT(std::string{denied.message()},
              ::testing::StartsWith("cannot write " + path_ + ": user "));
  EXPECT_THAT(std::string{denied.message()}, HasSubstr(" may not make it in "));
  EXPECT_EQ(Contents(path_), "old");
  EXPECT_THAT(Names(), ElementsAre("x.prom"));
}

TEST_F(ReplacedFileTest, WhatIsNoFileIsNotReplaced) {
  std::ofstream(folder_ / "target") << "old";
  ASSERT_EQ(symlink((folder_ / "target").c_str(), path_.c_str()), 0);
  for (const std::string& path : {path_, folder_ / ".", std::string("/dev/null")}) {
    EXPECT_EQ(ReplaceFile(path, "new").message(),
              path + " is not a regular file: name another one");
  }
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
  EXPECT_EQ(Contents(folder_ / "target"), "old");
}

}  // namespace
}  // namespace sockgate
