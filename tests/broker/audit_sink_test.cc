#include "broker/audit_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

std::string Contents(int fd) {
  std::string text(static_cast<size_t>(lseek(fd, 0, SEEK_END)), '\0');
  EXPECT_EQ(pread(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  return text;
}

// Another description of the same file, which appends.
UniqueFd Appending(int fd) {
  return UniqueFd(
      open(absl::StrCat("/proc/self/fd/", fd).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
}

class AuditSinkTest : public ::testing::Test {
 protected:
  // A file that may grow to so many bytes has no room beyond, like a full disk. In a process of its
  // own, whose result is that of `body`.
  template <typename Body>
  static int WithRoom(rlim_t bytes, const Body& body) {
    const pid_t child = fork();
    if (child == 0) {
      signal(SIGXFSZ, SIG_IGN);
      const rlimit limit = {bytes, RLIM_INFINITY};
      setrlimit(RLIMIT_FSIZE, &limit);
      _exit(body());
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  static void GiveRoom() {
    const rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
  }

  const UniqueFd file_{memfd_create("audit", MFD_CLOEXEC)};
  const UniqueFd next_{memfd_create("next", MFD_CLOEXEC)};
};

TEST_F(AuditSinkTest, NobodyWantsWhatHasNoDescriptor) {
  EXPECT_FALSE(AuditSink(UniqueFd()).wanted());
  EXPECT_TRUE(AuditSink(Appending(file_.get())).wanted());
}

TEST_F(AuditSinkTest, TakesAllThatThereIsRoomFor) {
  AuditSink sink(Appending(file_.get()));
  EXPECT_EQ(sink.Write("one\ntwo\n"), 8U);
  EXPECT_EQ(Contents(file_.get()), "one\ntwo\n");
}

TEST_F(AuditSinkTest, ALineThatWasCutComesBeforeAllOthers) {
  EXPECT_EQ(WithRoom(6,
                     [&] {
                       AuditSink sink(Appending(file_.get()));
                       if (sink.Write("one\ntwo\nthree\n") != 8) return 1;
                       if (sink.Write("of another loop\n") != 0) return 2;
                       GiveRoom();
                       if (sink.Write("three\n") != 6) return 3;
                       return 0;
                     }),
            0);
  EXPECT_EQ(Contents(file_.get()), "one\ntwo\nthree\n");
}

TEST_F(AuditSinkTest, ACutBetweenTwoLinesKeepsNothing) {
  EXPECT_EQ(WithRoom(4,
                     [&] {
                       AuditSink sink(Appending(file_.get()));
                       if (sink.Write("one\ntwo\n") != 4) return 1;
                       GiveRoom();
                       return sink.Write("two\n") == 4 ? 0 : 2;
                     }),
            0);
  EXPECT_EQ(Contents(file_.get()), "one\ntwo\n");
}

TEST_F(AuditSinkTest, TheNextFileHasTheWholeOfALineThatWasCut) {
  EXPECT_EQ(WithRoom(6,
                     [&] {
                       AuditSink sink(Appending(file_.get()));
                       if (sink.Write("one\ntwo\n") != 8) return 1;
                       sink.Replace(Appending(next_.get()));
                       GiveRoom();
                       return sink.Write("three\n") == 6 ? 0 : 2;
                     }),
            0);
  EXPECT_EQ(Contents(file_.get()), "one\ntw");
  EXPECT_EQ(Contents(next_.get()), "two\nthree\n");
}

TEST_F(AuditSinkTest, ReplacedLinesGoToTheNextFile) {
  AuditSink sink(Appending(file_.get()));
  sink.Write("one\n");
  sink.Replace(Appending(next_.get()));
  sink.Write("two\n");
  EXPECT_EQ(Contents(file_.get()), "one\n");
  EXPECT_EQ(Contents(next_.get()), "two\n");
}

TEST_F(AuditSinkTest, LinesOfManyThreadsStayWholeWhileTheFileIsReplaced) {
  constexpr int kThreads = 4;
  constexpr int kLines = 2000;
  AuditSink sink(Appending(file_.get()));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&sink, t] {
      for (int i = 0; i < kLines; ++i) {
        const std::string line = absl::StrCat(std::string(100, static_cast<char>('a' + t)), "\n");
        EXPECT_EQ(sink.Write(line), line.size());
      }
    });
  }
  for (int i = 0; i < 50; ++i) sink.Replace(Appending(i % 2 == 0 ? next_.get() : file_.get()));
  for (std::thread& thread : threads) thread.join();
  std::istringstream all(Contents(file_.get()) + Contents(next_.get()));
  int lines = 0;
  for (std::string line; std::getline(all, line); ++lines) {
    ASSERT_EQ(line, std::string(100, line[0]));
  }
  EXPECT_EQ(lines, kThreads * kLines);
}

}  // namespace
}  // namespace sockgate
