#include "broker/rotated_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RotatedFileTest : public ::testing::Test {
 protected:
  RotatedFileTest() { fs::create_directory(folder_); }

  static void Say(const absl::StatusOr<UniqueFd>& file, const std::string& text) {
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_EQ(write(file->get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  static std::string Text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Why what is there by now cannot be opened.
  std::string Refusal(const RotatedFile& file) const {
    return std::string{file.Open().status().message()};
  }

  const testing::TempFolder temp_;
  const std::string folder_ = temp_ / "logs";
  const std::string path_ = folder_ + "/audit";
};

TEST_F(RotatedFileTest, IsMadeForItsOwnerAndAppendedTo) {
  const auto file = RotatedFile::At(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->folder(), folder_);
  Say(file->Open(), "one\n");
  Say(file->Open(), "two\n");
  EXPECT_EQ(Text(path_), "one\ntwo\n");
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(RotatedFileTest, IsAnotherOneOnceItWasRenamed) {
  const auto file = RotatedFile::At(path_);
  const auto before = file->Open();
  fs::rename(path_, path_ + ".1");
  Say(file->Open(), "new\n");
  Say(before, "old\n");
  EXPECT_EQ(Text(path_), "new\n");
  EXPECT_EQ(Text(path_ + ".1"), "old\n");
}

TEST_F(RotatedFileTest, ItsFolderIsTheOneOfTheStart) {
  const auto file = RotatedFile::At(path_);
  fs::rename(folder_, folder_ + ".old");
  fs::create_directory(folder_);
  Say(file->Open(), "x\n");
  EXPECT_EQ(Text(folder_ + ".old/audit"), "x\n");
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(RotatedFileTest, ALinkIsFollowedAtTheStartAndNeverAgain) {
  const std::string real = temp_ / "real";
  std::ofstream(real) << "x\n";
  fs::create_symlink(real, path_);
  const auto file = RotatedFile::At(path_);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->path(), real);
  fs::remove(real);
  std::ofstream(temp_ / "other") << "";
  fs::create_symlink(temp_ / "other", real);
  EXPECT_THAT(Refusal(*file), HasSubstr("Too many levels of symbolic links"));
  EXPECT_EQ(Text(temp_ / "other"), "");
}

TEST_F(RotatedFileTest, NothingButARegularFile) {
  const auto file = RotatedFile::At(path_);
  fs::create_directory(path_);
  EXPECT_THAT(Refusal(*file), HasSubstr("that is a folder: name a file in it"));
  fs::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(Refusal(*file), HasSubstr("No such device or address"));
  const UniqueFd reader(open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_EQ(Refusal(*file), path_ + " is not a regular file");
}

TEST_F(RotatedFileTest, AFolderThatIsGoneIsNamed) {
  EXPECT_THAT(RotatedFile::At(temp_ / "nowhere/audit").status().message(), HasSubstr("nowhere"));
  const auto file = RotatedFile::At(path_);
  fs::remove(folder_);
  EXPECT_THAT(Refusal(*file), HasSubstr(path_));
}

TEST_F(RotatedFileTest, APathWithoutAFolderIsOfTheWorkingOne) {
  const std::string before = fs::current_path();
  fs::current_path(folder_);
  const auto file = RotatedFile::At("audit");
  fs::current_path(before);
  Say(file->Open(), "x\n");
  EXPECT_EQ(Text(path_), "x\n");
}

}  // namespace
}  // namespace sockgate
