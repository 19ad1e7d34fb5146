#include "broker/unix_path.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "broker/net.h"
#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

namespace fs = std::filesystem;

class UnixPathTest : public ::testing::Test {
 protected:
  UnixPathTest() { fs::create_directory(folder_ / "real"); }

  // A socket that listens there.
  static UniqueFd Listen(const std::string& path, int type = SOCK_STREAM, int backlog = 8) {
    UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_storage address;
    const socklen_t length = Endpoint::Unix(path)->ToSockaddr(&address);
    EXPECT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length), 0) << path;
    EXPECT_EQ(listen(socket.get(), backlog), 0);
    return socket;
  }

  // A fresh socket, and what connecting it says.
  int Connect(const std::string& path) {
    const auto endpoint = Endpoint::Unix(path);
    EXPECT_EQ(net_.Open(*endpoint, Transport::kStream, {}, &socket_), 0);
    return net_.Connect(socket_.get(), *endpoint);
  }

  static bool HasVisitor(const UniqueFd& listener) {
    return UniqueFd(accept(listener.get(), nullptr, nullptr)).valid();
  }

  KernelNet net_;
  testing::TempFolder folder_;
  const std::string path_ = folder_ / "real/socket";
  UniqueFd socket_;
};

TEST_F(UnixPathTest, ReachesTheSocketAtThePath) {
  const UniqueFd listener = Listen(path_);
  ASSERT_EQ(Connect(path_), 0);
  EXPECT_EQ(write(socket_.get(), "x", 1), 1);
  UniqueFd accepted(accept(listener.get(), nullptr, nullptr));
  char byte = 0;
  EXPECT_EQ(read(accepted.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
}

TEST_F(UnixPathTest, TheLongestPath) {
  const std::string longest = path_ + std::string(kMaxUnixPathBytes - 1 - path_.size(), 'x');
  const UniqueFd listener = Listen(longest);
  EXPECT_EQ(Connect(longest), 0);
}

TEST_F(UnixPathTest, FollowsNoLinkAtTheEndOrOnTheWay) {
  const UniqueFd listener = Listen(path_);
  fs::create_symlink(path_, folder_ / "link");
  fs::create_directory_symlink(folder_ / "real", folder_ / "folder");
  EXPECT_EQ(Connect(folder_ / "link"), ELOOP);
  EXPECT_EQ(Connect(folder_ / "folder/socket"), ELOOP);
  EXPECT_EQ(Connect("/proc/self/root" + path_), ELOOP) << "a link of the kernel's";
  EXPECT_FALSE(HasVisitor(listener));
}

TEST_F(UnixPathTest, WhatIsNoListeningSocket) {
  EXPECT_EQ(Connect(folder_ / "real/missing"), ENOENT);
  EXPECT_EQ(Connect(folder_ / "missing/socket"), ENOENT);
  std::ofstream(folder_ / "file") << "x";
  EXPECT_EQ(Connect(folder_ / "file"), ENOTSOCK);
  EXPECT_EQ(Connect(folder_ / "file/socket"), ENOTDIR);
  EXPECT_EQ(Connect(folder_ / "real"), ENOTSOCK);
  Listen(path_).Reset();
  EXPECT_EQ(Connect(path_), ECONNREFUSED) << "nobody listens any more";
  const UniqueFd packets = Listen(folder_ / "packets", SOCK_SEQPACKET);
  EXPECT_EQ(Connect(folder_ / "packets"), EPROTOTYPE);
}

TEST_F(UnixPathTest, WhatIsNoPath) {
  for (const std::string& name : {std::string("relative"), std::string("\0abstract", 9)}) {
    EXPECT_EQ(Connect(name), EINVAL);
  }
}

TEST_F(UnixPathTest, AFullBacklogIsAFailureAtOnce) {
  const UniqueFd listener = Listen(path_, SOCK_STREAM, 0);
  ASSERT_EQ(Connect(path_), 0);
  const UniqueFd first = std::move(socket_);
  EXPECT_EQ(Connect(path_), EAGAIN);
}

TEST_F(UnixPathTest, NoDescriptorLeft) {
  const UniqueFd listener = Listen(path_);
  UniqueFd socket;
  ASSERT_EQ(net_.Open(*Endpoint::Unix(path_), Transport::kStream, {}, &socket), 0);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const int error = net_.Connect(socket.get(), *Endpoint::Unix(path_));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(error, EMFILE);
}

// Whoever may write to the folder swaps the socket for a link to another, again and again. The
// other one must never have a visitor.
TEST_F(UnixPathTest, APathThatIsSwappedForALinkMeanwhile) {
  const UniqueFd listener = Listen(path_, SOCK_STREAM, 4096);
  const UniqueFd secret = Listen(folder_ / "secret");
  fs::create_symlink(folder_ / "secret", folder_ / "real/link");
  std::atomic<bool> stop = false;
  std::thread attacker([&] {
    const std::string link = folder_ / "real/link";
    while (!stop) {
      syscall(SYS_renameat2, AT_FDCWD, link.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE);
    }
  });
  int reached = 0;
  int refused = 0;
  for (int i = 0; i < 20'000 && (reached < 500 || refused < 500); ++i) {
    const int error = Connect(path_);
    EXPECT_TRUE(error == 0 || error == ELOOP) << error;
    reached += error == 0 ? 1 : 0;
    refused += error == 0 ? 0 : 1;
    HasVisitor(listener);
  }
  stop = true;
  attacker.join();
  EXPECT_GT(reached, 0);
  EXPECT_GT(refused, 0);
  EXPECT_FALSE(HasVisitor(secret));
}

}  // namespace
}  // namespace sockgate
