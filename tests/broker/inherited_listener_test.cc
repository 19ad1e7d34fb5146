// A path that somebody else has bound for the broker: it stays theirs.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>

#include "proto/endpoint.h"
#include "tests/broker/replace_world.h"
#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

using testing::ConnectTo;
using testing::ReplaceWorld;
using testing::RoleThatAllows;
using testing::TestWorker;

class InheritedListenerTest : public ::testing::Test, protected ReplaceWorld {
 protected:
  InheritedListenerTest() : ReplaceWorld({RoleThatAllows("fetch", {"127.0.0.1:1"})}) {
    socket_.Reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_storage address;
    const socklen_t length = Endpoint::Unix(path_)->ToSockaddr(&address);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(socket_.get(), 8), 0);
    EXPECT_EQ(chmod(path_.c_str(), 0642), 0);
  }

  ListenAt At(const std::string& path) const {
    ListenAt at;
    at.path = path;
    at.role = "fetch";
    return at;
  }
  void Listen() { ASSERT_TRUE(broker().Listen(At(path_), UniqueFd(dup(socket_.get()))).ok()); }
  absl::Status Replace(const std::vector<ListenAt>& listen) {
    return broker().Replace({RoleThatAllows("fetch", {"127.0.0.1:2"})}, listen);
  }
  bool Allowed(TestWorker* worker, uint16_t port) {
    return worker->Ask(ConnectTo("127.0.0.1", port)).result().outcome != Outcome::kDenied;
  }
  mode_t Mode() const {
    struct stat status;
    EXPECT_EQ(stat(path_.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  const testing::TempFolder folder_;
  const std::string path_ = folder_ / "fetch";
  UniqueFd socket_;
};

// Who came before the broker did has waited, and is served.
TEST_F(InheritedListenerTest, ServesWhoComesThere) {
  TestWorker early = ConnectToPath(path_);
  Listen();
  StartRunning();
  early.Greet();
  EXPECT_TRUE(Allowed(&early, 1));
  TestWorker late = ConnectToPath(path_);
  late.Greet();
  EXPECT_TRUE(Allowed(&late, 1));
}

TEST_F(InheritedListenerTest, ItsModeIsLeftAloneAndItStaysAtTheEnd) {
  Listen();
  EXPECT_EQ(Mode(), 0642U);
  StartRunning();
  End();
  EXPECT_EQ(Mode(), 0642U);
}

TEST_F(InheritedListenerTest, AReloadThatKeepsThePathKeepsTheSocket) {
  Listen();
  StartRunning();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Replace({At(path_), At(folder_ / "other")}).ok());
  TestWorker worker = ConnectToPath(path_);
  worker.Greet();
  EXPECT_TRUE(Allowed(&worker, 2));
  EXPECT_EQ(Mode(), 0642U);
  // Even where the broker cannot see it.
  std::filesystem::rename(path_, folder_ / "hidden");
  ASSERT_TRUE(Replace({At(path_)}).ok());
  TestWorker another = ConnectToPath(folder_ / "hidden");
  another.Greet();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(InheritedListenerTest, AReloadThatDropsThePathLeavesItThere) {
  Listen();
  StartRunning();
  ASSERT_TRUE(Replace({At(folder_ / "other")}).ok());
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_FALSE(Replace({At(path_)}).ok()) << "somebody else listens there";
}

}  // namespace
}  // namespace sockgate
