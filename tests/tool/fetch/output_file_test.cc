#include "tool/fetch/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "tool/write_all.h"

namespace sockgate {
namespace {

using Existing = OutputFile::Existing;

class OutputFileTest : public ::testing::Test {
 protected:
  OutputFileTest() {
    std::string folder = std::string(std::getenv("TEST_TMPDIR")) + "/output.XXXXXX";
    folder_ = mkdtemp(folder.data());
  }
  std::string In(const std::string& name) const { return folder_ + "/" + name; }
  static void Write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
  }
  static std::string Read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  size_t Count() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++count;
    return count;
  }

  std::string folder_;
};

TEST_F(OutputFileTest, HasItsNameOnlyWhenItIsKept) {
  auto file = OutputFile::Open(In("a"), Existing::kReplace);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(WriteAll(file->descriptor(), "whole"));
  EXPECT_FALSE(std::filesystem::exists(In("a")));
  ASSERT_TRUE(file->Keep().ok());
  EXPECT_EQ(Read(In("a")), "whole");
  EXPECT_EQ(Count(), 1U);
}

TEST_F(OutputFileTest, LeavesNothingAndTheOldFileWhenItIsNot) {
  Write(In("a"), "before");
  {
    auto file = OutputFile::Open(In("a"), Existing::kReplace);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(WriteAll(file->descriptor(), "half"));
    EXPECT_EQ(Count(), 2U);
  }
  EXPECT_EQ(Read(In("a")), "before");
  EXPECT_EQ(Count(), 1U);
}

TEST_F(OutputFileTest, ReplacesAFileAndKeepsItsMode) {
  Write(In("a"), "before");
  chmod(In("a").c_str(), 0600);
  auto file = OutputFile::Open(In("a"), Existing::kReplace);
  ASSERT_TRUE(file.ok() && file->Keep().ok());
  struct stat status;
  ASSERT_EQ(stat(In("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(status.st_size, 0);
}

TEST_F(OutputFileTest, AnotherAttemptTakesBackWhatTheFirstHasWritten) {
  auto file = OutputFile::Open(In("a"), Existing::kReplace);
  ASSERT_TRUE(file.ok());
  WriteAll(file->descriptor(), "a long first attempt");
  ASSERT_TRUE(file->Restart().ok());
  WriteAll(file->descriptor(), "short");
  ASSERT_TRUE(file->Keep().ok());
  EXPECT_EQ(Read(In("a")), "short");
}

TEST_F(OutputFileTest, ANumberKeepsWhatIsThere) {
  Write(In("a"), "first");
  Write(In("a.1"), "second");
  auto file = OutputFile::Open(In("a"), Existing::kNumber);
  ASSERT_TRUE(file.ok() && file->Keep().ok());
  EXPECT_EQ(file->path(), In("a.2"));
  EXPECT_EQ(Read(In("a")), "first");
  EXPECT_EQ(Count(), 3U);
}

TEST_F(OutputFileTest, ANamedLinkIsFollowedAndADeviceWrittenTo) {
  Write(In("real"), "before");
  std::filesystem::create_symlink("real", In("link"));
  auto file = OutputFile::Open(In("link"), Existing::kReplace);
  ASSERT_TRUE(file.ok() && WriteAll(file->descriptor(), "after") && file->Keep().ok());
  EXPECT_EQ(Read(In("real")), "after");
  EXPECT_TRUE(std::filesystem::is_symlink(In("link")));
  std::filesystem::create_symlink("nothing", In("dangling"));
  auto replaced = OutputFile::Open(In("dangling"), Existing::kReplace);
  ASSERT_TRUE(replaced.ok() && replaced->Keep().ok());
  EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(In("dangling"))));
  auto device = OutputFile::Open("/dev/null", Existing::kReplace);
  ASSERT_TRUE(device.ok() && device->Restart().ok() && device->Keep().ok());
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(OutputFileTest, ANameFromAUrlFollowsNoLink) {
  Write(In("precious"), "precious");
  std::filesystem::create_symlink("precious", In("page"));
  auto file = OutputFile::OpenBeneath(folder_, "page", Existing::kReplace);
  ASSERT_TRUE(file.ok() && WriteAll(file->descriptor(), "hostile") && file->Keep().ok());
  EXPECT_EQ(Read(In("precious")), "precious");
  EXPECT_EQ(Read(In("page")), "hostile");
  std::filesystem::create_directory(In("folder"));
  EXPECT_FALSE(OutputFile::OpenBeneath(folder_, "folder", Existing::kReplace).ok());
}

TEST_F(OutputFileTest, APipesReaderIsWaitedForUntilItIsToStop) {
  ASSERT_EQ(mkfifo(In("pipe").c_str(), 0600), 0);
  int stop[2];
  ASSERT_EQ(pipe(stop), 0);
  ASSERT_TRUE(WriteAll(stop[1], "x"));
  EXPECT_TRUE(
      absl::IsCancelled(OutputFile::Open(In("pipe"), Existing::kReplace, stop[0]).status()));
  std::thread reader([&] { EXPECT_EQ(Read(In("pipe")), "body"); });
  {
    auto file = OutputFile::Open(In("pipe"), Existing::kReplace);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_FALSE(file->CanRestart());
    EXPECT_EQ(fcntl(file->descriptor(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_TRUE(WriteAll(file->descriptor(), "body"));
  }
  reader.join();
  close(stop[0]);
  close(stop[1]);
}

TEST_F(OutputFileTest, AnErrorNamesThePath) {
  const auto file = OutputFile::Open(In("none/a"), Existing::kReplace);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.status().message(),
            "cannot write " + In("none/a") + ": No such file or directory");
}

}  // namespace
}  // namespace sockgate
