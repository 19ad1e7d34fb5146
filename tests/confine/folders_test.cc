#include "confine/folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/broker/temp_folder.h"

namespace sockgate::confine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Folders, FolderOf) {
  EXPECT_EQ(FolderOf("/run/x"), "/run");
  EXPECT_EQ(FolderOf("/x"), "/");
  EXPECT_EQ(FolderOf("x"), ".");
  EXPECT_EQ(FolderOf("a/b/"), "a/b");
}

TEST(Folders, ALinkHasTwo) {
  const testing::TempFolder folder;
  const std::string top = std::filesystem::canonical(folder / ".");
  std::filesystem::create_directories(folder / "a");
  std::filesystem::create_directories(folder / "b");
  std::ofstream(folder / "b/file") << "x";
  std::filesystem::create_symlink("../b/file", folder / "a/link");
  EXPECT_THAT(FoldersAround(folder / "a/link"), ElementsAre(top + "/a", top + "/b"));
  EXPECT_THAT(FoldersAround(folder / "b/file"), ElementsAre(top + "/b"));
  EXPECT_THAT(FoldersAround(folder / "b/none"), ElementsAre(top + "/b"));
  EXPECT_THAT(FoldersAround(folder / "c/none"), IsEmpty());
  std::filesystem::create_directory_symlink("b", folder / "d");
  EXPECT_THAT(FoldersAround(folder / "d/file"), ElementsAre(top + "/b"));
}

TEST(Folders, LiesBeneath) {
  EXPECT_TRUE(LiesBeneath("/run/a", {"/run/a"}));
  EXPECT_TRUE(LiesBeneath("/run/a/b", {"/tmp", "/run/a"}));
  EXPECT_TRUE(LiesBeneath("/run", {"/"}));
  EXPECT_FALSE(LiesBeneath("/run/ab", {"/run/a"}));
  EXPECT_FALSE(LiesBeneath("/run", {"/run/a"}));
  EXPECT_FALSE(LiesBeneath("/run", {}));
}

TEST(Folders, AreAllBeneath) {
  const testing::TempFolder folder;
  const std::string top = std::filesystem::canonical(folder / ".");
  std::filesystem::create_directories(folder / "a");
  std::ofstream(folder / "file") << "x";
  std::filesystem::create_symlink("../file", folder / "a/link");
  EXPECT_TRUE(AreAllBeneath(folder / "a/link", {top}));
  EXPECT_FALSE(AreAllBeneath(folder / "a/link", {top + "/a"})) << "it leads out";
  EXPECT_TRUE(AreAllBeneath(folder / "a/new", {top + "/a"}));
  EXPECT_TRUE(AreAllBeneath(folder / "none/new", {top + "/a"})) << "no such folder";
}

}  // namespace
}  // namespace sockgate::confine
