#include "broker/listener.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tests/broker/server_world.h"
#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

using testing::ConnectTo;
using testing::ServerWorld;
using testing::TestWorker;

// A UNIX socket of this type that has called `deed`, bind(2) or connect(2).
UniqueFd Unix(int type, const std::string& path, int (*deed)(int, const sockaddr*, socklen_t),
              int* error = nullptr) {
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_storage address;
  const socklen_t length = Endpoint::Unix(path)->ToSockaddr(&address);
  const int result = deed(socket.get(), reinterpret_cast<sockaddr*>(&address), length);
  if (error != nullptr) *error = result == 0 ? 0 : errno;
  return socket;
}

class ListenerTest : public ::testing::Test, protected ServerWorld {
 protected:
  ~ListenerTest() override {
    Do([this] { listener_.reset(); });
  }

  absl::Status Listen(const std::string& path) {
    absl::Status status;
    Do([&] {
      auto listener = Listener::Create(path, &role, thread.loop(), server.get());
      status = listener.status();
      if (listener.ok()) listener_ = *std::move(listener);
    });
    return status;
  }

  TestWorker Connect() { return TestWorker(Unix(SOCK_SEQPACKET, path_, connect)); }

  testing::TempFolder folder_;
  const std::string path_ = folder_ / "broker";
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, GivesTheRoleToWhoeverConnects) {
  ASSERT_TRUE(Listen(path_).ok());
  TestWorker worker = Connect();
  worker.Greet();
  EXPECT_EQ(worker.Ask(ConnectTo("192.0.2.66")).result().outcome, Outcome::kDenied);
  const auto opened = Audit("channel").at(0);
  EXPECT_EQ(opened.at("role"), "test");
  EXPECT_EQ(opened.at("pid"), getpid());
  EXPECT_EQ(opened.at("uid"), getuid());
}

TEST_F(ListenerTest, EachConnectionIsAWorkerOfItsOwn) {
  ASSERT_TRUE(Listen(path_).ok());
  TestWorker workers[] = {Connect(), Connect()};
  for (TestWorker& worker : workers) worker.Greet();
  EXPECT_EQ(Audit("channel").at(0).at("worker"), 1);
  EXPECT_EQ(Audit("channel").at(1).at("worker"), 2);
}

TEST_F(ListenerTest, IsForTheOwnerAlone) {
  ASSERT_TRUE(Listen(path_).ok());
  struct stat status;
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  // The umask is as before.
  std::ofstream(folder_ / "file") << "x";
  ASSERT_EQ(stat((folder_ / "file").c_str(), &status), 0);
  EXPECT_NE(status.st_mode & 0044, 0U);
}

TEST_F(ListenerTest, TakesItsPathAwayAtTheEnd) {
  ASSERT_TRUE(Listen(path_).ok());
  Do([this] { listener_.reset(); });
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ListenerTest, LeavesWhatAnotherHasPutInItsPlace) {
  ASSERT_TRUE(Listen(path_).ok());
  ASSERT_EQ(unlink(path_.c_str()), 0);
  std::ofstream(path_) << "another's";
  Do([this] { listener_.reset(); });
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(ListenerTest, ReplacesASocketThatNobodyListensOn) {
  int error = -1;
  Unix(SOCK_SEQPACKET, path_, bind, &error).Reset();
  ASSERT_EQ(error, 0);
  ASSERT_TRUE(Listen(path_).ok());
  Connect().Greet();
}

TEST_F(ListenerTest, LeavesALiveBrokerAlone) {
  ASSERT_TRUE(Listen(path_).ok());
  Do([&] {
    const auto second = Listener::Create(path_, &role, thread.loop(), server.get());
    EXPECT_FALSE(second.ok());
    EXPECT_NE(second.status().message().find(path_), absl::string_view::npos);
  });
  Connect().Greet();
}

TEST_F(ListenerTest, LeavesAFileOfAnyOtherKindAlone) {
  std::ofstream(path_) << "precious";
  EXPECT_FALSE(Listen(path_).ok());
  EXPECT_EQ(std::filesystem::file_size(path_), 8U);

  std::filesystem::create_directory(folder_ / "folder");
  EXPECT_FALSE(Listen(folder_ / "folder").ok());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "folder"));

  std::filesystem::create_symlink(path_, folder_ / "link");
  EXPECT_FALSE(Listen(folder_ / "link").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "link"));
}

TEST_F(ListenerTest, RefusesWhatIsNoPath) {
  for (const std::string& path :
       {std::string(), std::string(108, 'x'), std::string("\0abstract", 9)}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Listen(path)));
  }
  EXPECT_FALSE(Listen(folder_ / "missing/broker").ok());
}

TEST_F(ListenerTest, RestsWhenTheDescriptorTableIsFull) {
  ASSERT_TRUE(Listen(path_).ok());
  TestWorker old = Connect();
  old.Greet();
  // The log's deadline has passed. UndefinedBehaviorSanitizer needs descriptors where a virtual
  // call is made for the first time.
  ASSERT_TRUE(Until([&] { return !audit->pending(); }));
  TestWorker waiting(UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)));
  int wakeups = 0;
  thread.set_after_wakeup([&] {
    ++wakeups;
    server->AfterWakeup();
  });

  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  sockaddr_storage address;
  const socklen_t length = Endpoint::Unix(path_)->ToSockaddr(&address);
  ASSERT_EQ(connect(waiting.descriptor(), reinterpret_cast<sockaddr*>(&address), length), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  int woken = 0;
  Do([&] { woken = wakeups; });
  EXPECT_LT(woken, 20) << "a full table must not become a busy loop";
  EXPECT_EQ(old.Ask(ConnectTo("192.0.2.66")).result().outcome, Outcome::kDenied);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);

  waiting.Greet();
  thread.set_after_wakeup([this] {
    if (server != nullptr) server->AfterWakeup();
  });
}

}  // namespace
}  // namespace sockgate
