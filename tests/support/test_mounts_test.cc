#include "tests/support/test_mounts.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "proto/unique_fd.h"
#include "tests/broker/temp_folder.h"

namespace sockgate::testing {
namespace {

// How many bytes a file takes until the disk is full, at most this many.
size_t FillUp(const std::string& path, size_t most) {
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  const std::string block(1000, 'x');
  size_t taken = 0;
  while (taken < most) {
    const ssize_t size = write(file.get(), block.data(), block.size());
    if (size < 0) {
      EXPECT_EQ(errno, ENOSPC);
      break;
    }
    taken += static_cast<size_t>(size);
  }
  return taken;
}

TEST(TinyDiskTest, IsFullAndGetsRoom) {
  const TempFolder folder;
  const TinyDisk disk(folder / ".", 65536);
  EXPECT_EQ(FillUp(disk / "file", 1'000'000), 65536U);
  disk.Resize(131072);
  EXPECT_EQ(FillUp(disk / "file", 1'000'000), 65536U);
}

TEST(TinyDiskTest, GoesWithTheObject) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "disk");
  {
    const TinyDisk disk(folder / "disk", 65536);
    std::ofstream(disk / "file") << "x";
    EXPECT_TRUE(std::filesystem::exists(folder / "disk/file"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "disk/file"));
}

}  // namespace
}  // namespace sockgate::testing
