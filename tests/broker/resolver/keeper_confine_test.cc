// What a keeper that was taken over tries, and what it must be able to do, each in a process of its
// own under the keeper's cage.

#include "broker/resolver/keeper_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "confine/landlock_rules.h"
#include "tests/broker/temp_folder.h"
#include "tests/client/launch/forked.h"

namespace sockgate {
namespace {

using confine::CageLevel;
using launch::ErrnoOf;
using launch::Exited;
using launch::ExitStatus;
using launch::RunForked;

constexpr int kNotConfined = 200;

class KeeperConfine : public ::testing::Test {
 protected:
  KeeperConfine() {
    std::filesystem::create_directory(folder_ / "files");
    std::filesystem::create_directory(folder_ / "elsewhere");
    std::ofstream(folder_ / "files/hosts") << "x";
    std::ofstream(folder_ / "elsewhere/secret") << "x";
    options_.hosts_file = folder_ / "files/hosts";
    options_.resolv_conf = "";
  }

  ExitStatus Fate(const std::function<int()>& act) const {
    return RunForked([&] {
      const auto cage = BuildKeeperCage(CageLevel::kIfPossible, options_);
      return cage.ok() && cage->PutOn().ok() ? act() : kNotConfined;
    });
  }
  static int Open(const std::string& path, int flags) {
    return ErrnoOf(open(path.c_str(), flags, 0600));
  }
  static void NeedLandlock() {
    if (confine::LandlockRules::KernelAbi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  }

  const testing::TempFolder folder_;
  ResolverOptions options_;
};

constexpr ExitStatus kDies = {true, SIGSYS};

TEST_F(KeeperConfine, WhatItIsForWorks) {
  EXPECT_EQ(Fate([&] { return Open(options_.hosts_file, O_RDONLY); }), Exited(0));
  EXPECT_EQ(Fate([] { return Open("/dev/null", O_RDWR); }), Exited(0));
  EXPECT_EQ(Fate([] {
              const pid_t pid = fork();
              if (pid == 0) poll(nullptr, 0, -1);
              if (pid < 0 || kill(pid, SIGKILL) != 0) return errno;
              return waitpid(pid, nullptr, 0) == pid ? 0 : 1;
            }),
            Exited(0));
}

TEST_F(KeeperConfine, AFileThatIsReplacedCanBeRead) {
  EXPECT_EQ(Fate([&] { return Open(folder_ / "files/hosts", O_RDONLY); }), Exited(0));
  std::filesystem::rename(folder_ / "elsewhere/secret", folder_ / "files/hosts");
  EXPECT_EQ(Fate([&] { return Open(folder_ / "files/hosts", O_RDONLY); }), Exited(0));
}

TEST_F(KeeperConfine, NoOtherFile) {
  NeedLandlock();
  EXPECT_EQ(Fate([&] { return Open(folder_ / "elsewhere/secret", O_RDONLY); }), Exited(EACCES));
  EXPECT_EQ(Fate([&] { return Open(options_.hosts_file, O_WRONLY); }), Exited(EACCES));
}

TEST_F(KeeperConfine, NothingNew) {
  EXPECT_EQ(Fate([&] { return Open(folder_ / "files/new", O_WRONLY | O_CREAT); }), kDies);
  EXPECT_EQ(Fate([&] { return Open(options_.hosts_file, O_RDONLY | O_TRUNC); }), kDies);
  EXPECT_EQ(Fate([] {
              const open_how how = {};
              return ErrnoOf(syscall(SYS_openat2, AT_FDCWD, "/dev/null", &how, sizeof(how)));
            }),
            kDies);
}

TEST_F(KeeperConfine, NoSocketButPairs) {
  EXPECT_EQ(Fate([] { return ErrnoOf(socket(AF_INET, SOCK_STREAM, 0)); }), kDies);
  EXPECT_EQ(Fate([] { return ErrnoOf(socket(AF_UNIX, SOCK_STREAM, 0)); }), kDies);
  EXPECT_EQ(Fate([] { return ErrnoOf(connect(0, nullptr, 0)); }), kDies);
  EXPECT_EQ(Fate([] { return ErrnoOf(bind(0, nullptr, 0)); }), kDies);
  EXPECT_EQ(Fate([] {
              int pair[2];
              return ErrnoOf(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
            }),
            kDies);
}

TEST_F(KeeperConfine, NoProgramAndNobodyElsesProcess) {
  EXPECT_EQ(Fate([] { return execl("/bin/true", "true", nullptr); }), kDies);
  EXPECT_EQ(Fate([] { return ErrnoOf(ptrace(PTRACE_TRACEME, 0, 0, 0)); }), kDies);
  EXPECT_EQ(Fate([] { return ErrnoOf(kill(getppid(), SIGTERM)); }), kDies);
  EXPECT_EQ(Fate([] { return ErrnoOf(setuid(getuid())); }), kDies);
  if (confine::LandlockRules::KernelAbi() >= 6) {
    const pid_t victim = fork();
    if (victim == 0) {
      pause();
      _exit(0);
    }
    EXPECT_EQ(Fate([victim] { return ErrnoOf(kill(victim, SIGKILL)); }), Exited(EPERM));
    kill(victim, SIGKILL);
    waitpid(victim, nullptr, 0);
  }
}

TEST_F(KeeperConfine, TheFoldersOfItsFilesAndOfWhereTheyLead) {
  const std::string top = std::filesystem::canonical(folder_ / ".");
  std::filesystem::create_symlink("../elsewhere/secret", folder_ / "files/resolv.conf");
  options_.resolv_conf = folder_ / "files/resolv.conf";
  EXPECT_THAT(ResolverFolders(options_),
              ::testing::UnorderedElementsAre(top + "/files", top + "/elsewhere", top + "/files"));
}

}  // namespace
}  // namespace sockgate
