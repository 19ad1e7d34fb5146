#include "broker/listener.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/broker/capabilities.h"
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

ListenAt At(const std::string& path) {
  ListenAt at;
  at.path = path;
  at.role = "test";
  return at;
}

class ListenerTest : public ::testing::Test, protected ServerWorld {
 protected:
  ~ListenerTest() override {
    Do([this] { listener_.reset(); });
  }

  absl::Status Listen(const std::string& path) { return Listen(At(path)); }

  absl::Status Listen(const ListenAt& at) {
    absl::Status status;
    Do([&] {
      auto listener = Listener::Create(at, lent_role, thread.loop(), server.get());
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
}

// In the moment before the mode is given too.
TEST_F(ListenerTest, HasItsModeUnderAnyUmask) {
  ListenAt at = At(path_);
  for (const mode_t mask : {0000U, 0022U, 0177U, 0777U}) {
    const mode_t before = umask(mask);
    for (const mode_t mode : {0600U, 0666U}) {
      at.mode = mode;
      EXPECT_TRUE(Listen(at).ok());
      struct stat status = {};
      EXPECT_EQ(stat(path_.c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 07777, mode);
      Do([this] { listener_.reset(); });
    }
    EXPECT_EQ(umask(before), mask);
  }
}

// The umask is the whole process's.
TEST_F(ListenerTest, LeavesTheFilesOfOtherThreadsTheirModes) {
  std::atomic<bool> over = false;
  bool narrow = false;
  const mode_t before = umask(0022);
  std::thread other([&] {
    const std::string file = folder_ / "file";
    while (!over) {
      struct stat status = {};
      std::ofstream(file) << "x";
      EXPECT_EQ(stat(file.c_str(), &status), 0);
      narrow = narrow || (status.st_mode & 07777) != 0644;
      unlink(file.c_str());
    }
  });
  for (int i = 0; i < 300; ++i) {
    EXPECT_TRUE(Listen(path_).ok());
    Do([this] { listener_.reset(); });
  }
  over = true;
  other.join();
  umask(before);
  EXPECT_FALSE(narrow);
}

TEST_F(ListenerTest, HasTheModeThatItShallHave) {
  ListenAt at = At(path_);
  for (const mode_t mode : {0666U, 0660U, 0600U, 0000U}) {
    at.mode = mode;
    ASSERT_TRUE(Listen(at).ok());
    struct stat status;
    ASSERT_EQ(stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, mode);
    Do([this] { listener_.reset(); });
  }
}

TEST_F(ListenerTest, HasTheOwnerAndGroupThatItShallHave) {
  std::ofstream(folder_ / "file") << "x";
  if (chown((folder_ / "file").c_str(), 12'345, 12'346) != 0) GTEST_SKIP() << "needs CAP_CHOWN";
  ListenAt at = At(path_);
  at.mode = 0660;
  at.owner = 12'345;
  ASSERT_TRUE(Listen(at).ok());
  struct stat status;
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 12'345U);
  EXPECT_EQ(status.st_gid, getegid()) << "as it was";
  EXPECT_EQ(status.st_mode & 07777, 0660U);
  Do([this] { listener_.reset(); });

  at.owner.reset();
  at.group = 12'346;
  ASSERT_TRUE(Listen(at).ok());
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, geteuid());
  EXPECT_EQ(status.st_gid, 12'346U);
}

TEST_F(ListenerTest, AnOwnerThatCannotBeSetLeavesNoPathBehind) {
  ListenAt at = At(path_);
  at.owner = 12'345;
  Do([] { testing::DropAllCapabilities(); });
  EXPECT_TRUE(absl::IsPermissionDenied(Listen(at)));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ListenerTest, ServesThePeersOfTheRoleOnly) {
  role.peers.uids = {geteuid() + 1};
  ASSERT_TRUE(Listen(path_).ok());
  EXPECT_TRUE(Connect().Closed());
  ASSERT_TRUE(Until([&] { return !audit->pending(); }));
  const auto refused = Audit("channel").at(0);
  EXPECT_EQ(refused.at("change"), "refused");
  EXPECT_EQ(refused.at("detail"), "peer");
  EXPECT_EQ(refused.at("role"), "test");
  EXPECT_EQ(refused.at("pid"), getpid());
  EXPECT_EQ(refused.at("uid"), geteuid());

  Do([&] { role.peers.gids = {getegid()}; });
  Connect().Greet();
}

// Who may connect at will must not fill the log.
TEST_F(ListenerTest, SaysHowOftenItRefusedOnceASecond) {
  constexpr int kTimes = 60;
  role.peers.uids = {geteuid() + 1};
  ASSERT_TRUE(Listen(path_).ok());
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < kTimes; ++i) EXPECT_TRUE(Connect().Closed());
  ASSERT_TRUE(Until([&] { return !audit->pending(); }));
  EXPECT_EQ(Audit("channel").at(0).at("detail"), "peer");
  const auto told = [this] {
    int sum = 0;
    for (const auto& line : Audit("channel")) {
      const std::string detail = line.at("detail");
      sum += detail == "peer" ? 1 : std::stoi(detail.substr(std::string("peer, ").size()));
    }
    return sum;
  };
  const auto deadline = begun + std::chrono::seconds(10);
  while (told() < kTimes && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(told(), kTimes);
  const auto seconds =
      std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
  EXPECT_LE(Audit("channel").size(), 1U + static_cast<size_t>(seconds.count()));
}

TEST_F(ListenerTest, SaysHowOftenItRefusedBeforeItGoes) {
  role.peers.uids = {geteuid() + 1};
  ASSERT_TRUE(Listen(path_).ok());
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Connect().Closed());
  Do([this] { listener_.reset(); });
  EXPECT_EQ(Audit("channel").size(), 2U);
  EXPECT_EQ(AuditDetail("refused"), "peer, 1 more");
}

// A full table does not let those in who came before the change.
TEST_F(ListenerTest, TurnsAwayWhoWaitedAlsoWhenTheDescriptorTableWasFull) {
  ASSERT_TRUE(Listen(path_).ok());
  ListenAt wide = At(path_);
  wide.mode = 0666;
  TestWorker early((UniqueFd()));
  Do([&] {
    early = Connect();
    rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = 3;
    ASSERT_TRUE(listener_->Grant(wide).ok());
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    listener_->Change(wide, lent_role);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  });
  EXPECT_TRUE(early.Closed());
  EXPECT_EQ(AuditDetail("refused"), "reload");
  Connect().Greet();
}

size_t CountPidfds() {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink(entry, error);
    if (!error && target.string().find("pidfd") != std::string::npos) ++count;
  }
  return count;
}

TEST_F(ListenerTest, KeepsADescriptorOfTheProcessOnlyWhereItWillBeAsked) {
  ASSERT_TRUE(Listen(path_).ok());
  TestWorker unasked = Connect();
  unasked.Greet();
  EXPECT_EQ(CountPidfds(), 0U);
  Do([this] { role.require_confined = true; });
  TestWorker asked = Connect();
  asked.Greet();
  EXPECT_EQ(CountPidfds(), 1U);
  EXPECT_EQ(unasked.Ask(ConnectTo()).result().reason, Reason::kNotConfined);
}

TEST_F(ListenerTest, AsksWhoeverCameByThePathToBeConfined) {
  role.require_confined = true;
  ASSERT_TRUE(Listen(path_).ok());
  TestWorker worker = Connect();
  worker.Greet();
  EXPECT_EQ(worker.Ask(ConnectTo()).result().reason, Reason::kNotConfined);
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
    const auto second = Listener::Create(At(path_), lent_role, thread.loop(), server.get());
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

TEST_F(ListenerTest, RefusesAFolderWhereAnybodyMayReplaceTheSocket) {
  const std::string folder = folder_ / "shared";
  std::filesystem::create_directory(folder);
  ASSERT_EQ(chmod(folder.c_str(), 0777), 0);
  const absl::Status status = Listen(folder + "/broker");
  EXPECT_EQ(status.message(),
            "cannot listen on " + folder +
                "/broker: all users may write to its folder, which is not sticky: chmod o-w " +
                folder + ", or name another folder");
  EXPECT_FALSE(std::filesystem::exists(folder + "/broker"));
  ASSERT_EQ(chmod(folder.c_str(), 01777), 0);
  EXPECT_TRUE(Listen(folder + "/broker").ok());
}

TEST_F(ListenerTest, RefusesAFolderOfAnotherUser) {
  const std::string folder = folder_ / "another's";
  std::filesystem::create_directory(folder);
  if (chown(folder.c_str(), 12'345, 12'346) != 0) GTEST_SKIP() << "needs CAP_CHOWN";
  EXPECT_EQ(
      Listen(folder + "/broker").message(),
      "cannot listen on " + folder +
          "/broker: its folder belongs to user 12345, who is neither root nor the broker's user: "
          "name a folder of root");
  EXPECT_FALSE(std::filesystem::exists(folder + "/broker"));
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
