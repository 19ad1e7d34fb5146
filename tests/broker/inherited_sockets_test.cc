// The test plays the service manager: each case in a process of its own, whose descriptors from 3 on
// are what it hands over.

#include "broker/inherited_sockets.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <vector>

#include "proto/endpoint.h"
#include "proto/fresh_child.h"
#include "tests/broker/temp_folder.h"
#include "tests/client/launch/forked.h"

namespace sockgate {
namespace {

using launch::Exited;
using ::testing::HasSubstr;

class InheritedSocketsTest : public ::testing::Test {
 protected:
  UniqueFd Bound(const std::string& path, int type = SOCK_SEQPACKET, bool listens = true) const {
    UniqueFd made(socket(AF_UNIX, type, 0));
    sockaddr_storage address;
    const socklen_t length = Endpoint::Unix(path)->ToSockaddr(&address);
    EXPECT_EQ(bind(made.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    if (listens) {
      EXPECT_EQ(listen(made.get(), 4), 0);
    }
    return made;
  }

  // In a child that has these, what it made of them: `then` gets it, or the error is returned.
  std::string In(const std::vector<int>& descriptors,
                 const std::function<void(absl::StatusOr<InheritedSockets>)>& then,
                 const char* count = nullptr, int pid_off_by = 0) const {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const std::string number = count != nullptr ? count : std::to_string(descriptors.size());
    const launch::ExitStatus status = launch::RunForked([&] {
      // Out of the way first.
      std::vector<int> aside;
      for (const int one : descriptors) aside.push_back(fcntl(one, F_DUPFD, 100));
      const int said = fcntl(ends[1], F_DUPFD, 100);
      dup2(said, 99);
      int next = 3;
      for (const int one : aside) {
        dup2(one, next++);
        close(one);
      }
      close(said);
      std::vector<int> kept = {0, 1, 2};
      for (int fd = 3; fd < next; ++fd) kept.push_back(fd);
      kept.push_back(99);
      if (CloseAllDescriptorsBut(kept) != 0) return 1;
      setenv("LISTEN_FDS", number.c_str(), 1);
      setenv("LISTEN_PID", std::to_string(getpid() + pid_off_by).c_str(), 1);
      setenv("LISTEN_FDNAMES", "one:two", 1);
      auto sockets = InheritedSockets::FromEnvironment();
      for (const char* name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) {
        if (getenv(name) != nullptr) return 2;
      }
      if (!sockets.ok()) {
        const std::string why{sockets.status().message()};
        if (write(99, why.data(), why.size()) < 0) return 3;
        return 0;
      }
      then(std::move(sockets));
      return ::testing::Test::HasFailure() ? 4 : 0;
    });
    EXPECT_EQ(status, Exited(0));
    close(ends[1]);
    std::string said(4096, '\0');
    const ssize_t size = read(ends[0], said.data(), said.size());
    close(ends[0]);
    said.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return said;
  }
  std::string Refusal(const std::vector<int>& descriptors, const char* count = nullptr) const {
    return In(
        descriptors, [](const auto&) { ADD_FAILURE() << "was taken"; }, count);
  }

  const testing::TempFolder folder_;
};

TEST_F(InheritedSocketsTest, AreTakenByTheirPathsOnce) {
  const UniqueFd a = Bound(folder_ / "a");
  const UniqueFd b = Bound(folder_ / "b");
  const std::string why = In({a.get(), b.get()}, [&](auto sockets) {
    EXPECT_THAT(sockets->CheckAllTaken().message(), HasSubstr("inherited socket 4 (two) is at"));
    const UniqueFd second = sockets->Take(folder_ / "b");
    EXPECT_EQ(second.get(), 4);
    EXPECT_EQ(fcntl(second.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_NE(fcntl(second.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_FALSE(sockets->Take(folder_ / "b").valid());
    EXPECT_FALSE(sockets->Take(folder_ / "c").valid());
    EXPECT_FALSE(sockets->CheckAllTaken().ok());
    EXPECT_EQ(sockets->Take(folder_ / "a").get(), 3);
    EXPECT_TRUE(sockets->CheckAllTaken().ok());
  });
  EXPECT_EQ(why, "");
}

TEST_F(InheritedSocketsTest, OfAnotherProcessAreLeftAlone) {
  const UniqueFd a = Bound(folder_ / "a");
  const std::string why = In(
      {a.get()},
      [&](auto sockets) {
        EXPECT_TRUE(sockets->CheckAllTaken().ok());
        EXPECT_EQ(fcntl(3, F_GETFD), 0);
      },
      nullptr, 1);
  EXPECT_EQ(why, "");
}

TEST_F(InheritedSocketsTest, OfAnotherKindAreNamed) {
  const UniqueFd stream = Bound(folder_ / "stream", SOCK_STREAM);
  EXPECT_THAT(Refusal({stream.get()}), HasSubstr("socket 3 (one) is no SOCK_SEQPACKET socket"));
  const UniqueFd deaf = Bound(folder_ / "deaf", SOCK_SEQPACKET, false);
  EXPECT_THAT(Refusal({deaf.get()}), HasSubstr("socket 3 (one) does not listen"));
  const UniqueFd tcp(socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_THAT(Refusal({tcp.get()}), HasSubstr("is no UNIX socket"));
  const UniqueFd file(open("/dev/null", O_RDONLY));
  EXPECT_THAT(Refusal({file.get()}), HasSubstr("is no socket"));
  const UniqueFd abstract = Bound('\0' + std::string("sockgate-") + std::to_string(getpid()));
  EXPECT_THAT(Refusal({abstract.get()}), HasSubstr("has no path"));
}

TEST_F(InheritedSocketsTest, TwoAtOnePathAreNamed) {
  const UniqueFd first = Bound(folder_ / "a");
  unlink((folder_ / "a").c_str());
  const UniqueFd second = Bound(folder_ / "a");
  EXPECT_THAT(Refusal({first.get(), second.get()}), HasSubstr(folder_ / "a"));
}

TEST_F(InheritedSocketsTest, ANumberThatIsNoneIsAnError) {
  const UniqueFd a = Bound(folder_ / "a");
  EXPECT_THAT(Refusal({a.get()}, "2"), HasSubstr("socket 4 (two) is not open"));
  for (const char* count : {"-1", "x", "1026", "99999999999"}) {
    EXPECT_THAT(Refusal({a.get()}, count), HasSubstr("LISTEN_FDS")) << count;
  }
}

TEST_F(InheritedSocketsTest, NoneWithoutAManager) {
  unsetenv("LISTEN_FDS");
  auto sockets = InheritedSockets::FromEnvironment();
  ASSERT_TRUE(sockets.ok());
  EXPECT_TRUE(sockets->CheckAllTaken().ok());
}

}  // namespace
}  // namespace sockgate
