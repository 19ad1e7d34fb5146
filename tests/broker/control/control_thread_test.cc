#include "broker/control/control_thread.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "broker/control/control_limits.h"
#include "proto/endpoint.h"
#include "tests/broker/replace_world.h"
#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

using nlohmann::json;
using testing::ReplaceWorld;
using testing::RoleThatAllows;

// Whom SO_PEERCRED names: the process that connects.
enum class Who { kChild, kStranger, kSelf };

// Whose writer may block.
struct BlockingPipe {
  BlockingPipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader.Reset(ends[0]);
    writer.Reset(ends[1]);
  }
  UniqueFd reader;
  UniqueFd writer;
};

class ControlThreadTest : public ::testing::Test, protected ReplaceWorld {
 protected:
  ControlThreadTest() : ReplaceWorld({RoleThatAllows("fetch", {})}) {}
  ~ControlThreadTest() override {
    Stop();
    control_.reset();
  }

  void Start(std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    ControlThread::Options options;
    auto socket = ListeningSocket::Bind({path_, /*role=*/""});
    ASSERT_TRUE(socket.ok()) << socket.status();
    options.socket = std::make_unique<ListeningSocket>(*std::move(socket));
    options.patience = patience;
    options.rotator = rotator_.get();
    auto control = ControlThread::Start(std::move(options), &broker(), &reloader_);
    ASSERT_TRUE(control.ok()) << control.status();
    control_ = *std::move(control);
    StartRunning();
  }

  UniqueFd Connect(Who who = Who::kChild) {
    UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_storage address;
    const socklen_t length = Endpoint::Unix(path_)->ToSockaddr(&address);
    const auto connect_it = [&] {
      return connect(socket.get(), reinterpret_cast<sockaddr*>(&address), length);
    };
    if (who == Who::kSelf) {
      EXPECT_EQ(connect_it(), 0);
      return socket;
    }
    const pid_t child = fork();
    if (child == 0) {
      if (who == Who::kStranger && setresuid(61234, 61234, 61234) != 0) _exit(77);
      _exit(connect_it() == 0 ? 0 : 1);
    }
    children_.push_back(child);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) != 0) socket.Reset();
    return socket;
  }

  // The reply, or "" when the connection closes without one, or "nothing" after `patience`.
  static std::string Receive(const UniqueFd& client, int patience_ms = 10'000) {
    pollfd entry = {client.get(), POLLIN, 0};
    if (poll(&entry, 1, patience_ms) != 1) return "nothing";
    std::string reply(kMaxControlReplyBytes + 1, '\0');
    const ssize_t size = recv(client.get(), reply.data(), reply.size(), 0);
    reply.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return reply;
  }

  std::string Ask(const std::string& word) {
    const UniqueFd client = Connect();
    EXPECT_EQ(send(client.get(), word.data(), word.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(word.size()));
    return Receive(client);
  }

  std::vector<pid_t> children_;  // who connected, by one connection after the other
  testing::TempFolder folder_;
  const std::string path_ = folder_ / "control";
  bool good_ = true;
  size_t findings_ = 1;
  BlockingPipe told_;
  OperatorLog log_{std::move(told_.writer)};
  Reloader reloader_{
      &broker(), "p.toml", &log_, [this](const std::string&) {
        LoadedPolicy loaded;
        if (good_) {
          loaded.policy.emplace();
          loaded.policy->roles = {RoleThatAllows("fetch", {"127.0.0.1:1"})};
        } else {
          loaded.findings.assign(findings_, {Finding::Severity::kError, 3, 1, "no", ""});
        }
        return loaded;
      }};
  std::unique_ptr<AuditRotator> rotator_;
  std::unique_ptr<ControlThread> control_;
};

TEST_F(ControlThreadTest, RotatesAndSaysWhyNot) {
  absl::Status wrong = absl::NotFoundError("no folder");
  rotator_ = std::make_unique<AuditRotator>(
      &broker(),
      [&]() -> absl::StatusOr<UniqueFd> {
        if (!wrong.ok()) return wrong;
        return UniqueFd(open("/dev/null", O_WRONLY | O_CLOEXEC));
      },
      &log_);
  Start();
  EXPECT_EQ(Ask("rotate"), R"({"error":"no folder"})");
  wrong = absl::OkStatus();
  EXPECT_EQ(Ask("rotate"), R"({"rotated":true})");
  EXPECT_EQ(json::parse(Ask("status"))["policy"]["generation"], 1) << "nothing was reloaded";
}

TEST_F(ControlThreadTest, ALogThatStaysOpenIsNotRotated) {
  Start();
  EXPECT_NE(Ask("rotate").find("error"), std::string::npos);
}

TEST_F(ControlThreadTest, ReloadsAndSaysHowItStands) {
  Start();
  EXPECT_EQ(Ask("reload"), R"({"loaded":true,"generation":2,"file":"p.toml","findings":[]})");
  good_ = false;
  EXPECT_EQ(json::parse(Ask("reload")).at("loaded"), false);
  const json status = json::parse(Ask("status"));
  EXPECT_EQ(status["policy"]["generation"], 2);
  EXPECT_EQ(status["policy"]["last_error"]["findings"][0]["message"], "no");
  EXPECT_EQ(status["roles"][0]["rules"], 1);
  good_ = true;
  EXPECT_EQ(json::parse(Ask("reload")).at("generation"), 3);
  EXPECT_TRUE(json::parse(Ask("status"))["policy"]["last_error"].is_null());
}

TEST_F(ControlThreadTest, RevokesAndTheLogSaysWhoOrderedIt) {
  Start();
  EXPECT_EQ(Ask("revoke"), R"({"revoked":0})");
  EXPECT_EQ(Ask("revoke role=fetch to=192.0.2.0/24"), R"({"revoked":0})");
  EXPECT_EQ(Ask("revoke role=fetsh"), R"({"error":"there is no role 'fetsh': write 'fetch'"})");
  EXPECT_EQ(Ask("revoke role=other"), R"({"error":"there is no role 'other': there are fetch"})");
  EXPECT_NE(Ask("revoke role=fetch worker=7").find("there is no worker 7"), std::string::npos);
  EXPECT_EQ(Ask("revoke role="), R"({"error":"role= wants one role's name"})");
  EXPECT_EQ(Ask("revoked"), R"({"error":"unknown request"})");
  control_.reset();
  End();
  const auto lines = Audit("revoke");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("by"), "control");
  EXPECT_EQ(lines[0].at("pid"), children_[0]);
  EXPECT_EQ(lines[0].at("connections"), 0);
  EXPECT_FALSE(lines[0].contains("role"));
  EXPECT_EQ(lines[1].at("role"), "fetch");
  EXPECT_FALSE(lines[1].contains("worker"));
  EXPECT_EQ(lines[1].at("to"), "192.0.2.0/24");
}

TEST_F(ControlThreadTest, TheLogSaysWhoOrderedIt) {
  Start();
  Ask("reload");
  good_ = false;
  Ask("reload");
  ASSERT_EQ(kill(getpid(), SIGHUP), 0);
  ASSERT_EQ(Ask("status").find("{\"policy\""), 0U);
  control_.reset();
  End();
  const auto lines = Audit("policy");
  ASSERT_EQ(lines.size(), 3U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(lines[i].at("by"), "control");
    EXPECT_EQ(lines[i].at("pid"), children_[i]);
    EXPECT_EQ(lines[i].at("uid"), getuid());
  }
  EXPECT_EQ(lines[2].at("by"), "signal");
  EXPECT_EQ(lines[2].at("pid"), getpid());
  EXPECT_EQ(lines[2].at("uid"), getuid());
}

// With sigqueue(3) the sender itself says who it is.
TEST_F(ControlThreadTest, WhoOrderedItIsNotTakenOnTrust) {
  Start();
  ASSERT_EQ(sigqueue(getpid(), SIGHUP, {}), 0);
  ASSERT_EQ(Ask("status").find("{\"policy\""), 0U);
  control_.reset();
  End();
  const auto lines = Audit("policy");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("by"), "signal");
  EXPECT_FALSE(lines[0].contains("pid"));
}

// Standard error may be a pipe that nobody reads.
TEST_F(ControlThreadTest, AReaderOfItsLinesThatHasStoppedHoldsNothingUp) {
  Start();
  good_ = false;
  findings_ = 20;
  for (int i = 0; i < 500; ++i) EXPECT_NE(Ask("reload"), "nothing");
  pollfd full = {told_.reader.get(), POLLIN, 0};
  EXPECT_EQ(poll(&full, 1, 0), 1);
  EXPECT_EQ(Ask("status").find("{\"policy\""), 0U);
  control_.reset();
}

TEST_F(ControlThreadTest, TheLongestReplyArrives) {
  Start();
  good_ = false;
  findings_ = 10'000;
  const std::string reply = Ask("reload");
  EXPECT_GT(reply.size(), kMaxControlReplyBytes / 2);
  EXPECT_EQ(json::parse(reply).at("cut"), true);
}

TEST_F(ControlThreadTest, AnEmptyPacketIsNotAnswered) {
  Start();
  EXPECT_EQ(Ask(""), "");
  EXPECT_NE(Ask("status"), "");
}

TEST_F(ControlThreadTest, OneAnswerForOneConnection) {
  Start();
  const UniqueFd client = Connect();
  ASSERT_EQ(send(client.get(), "status", 6, MSG_NOSIGNAL), 6);
  EXPECT_NE(Receive(client), "");
  EXPECT_EQ(Receive(client), "");
}

TEST_F(ControlThreadTest, GarbageIsAnsweredAndHarmsNobody) {
  Start();
  for (const std::string& word :
       {std::string("x"), std::string("status\n"), std::string("reload\0", 7),
        std::string("RELOAD"), std::string(kMaxControlRequestBytes, 'x'), std::string("\0", 1)}) {
    EXPECT_EQ(Ask(word), R"({"error":"unknown request"})");
  }
  EXPECT_EQ(Ask(std::string(kMaxControlRequestBytes + 1, 'x')), R"({"error":"not a request"})");
  EXPECT_EQ(Ask(std::string(100'000, 'x')), R"({"error":"not a request"})");
  EXPECT_EQ(json::parse(Ask("status"))["policy"]["generation"], 1);
}

TEST_F(ControlThreadTest, AClientThatGoesAtOnce) {
  Start();
  for (int i = 0; i < 10; ++i) Connect().Reset();
  {
    const UniqueFd client = Connect();
    ASSERT_EQ(send(client.get(), "status", 6, MSG_NOSIGNAL), 6);
  }
  EXPECT_NE(Ask("status"), "");
}

TEST_F(ControlThreadTest, ASlowClientLosesItsTurn) {
  Start(std::chrono::milliseconds(100));
  const UniqueFd slow = Connect();
  const UniqueFd second = Connect();
  ASSERT_EQ(send(second.get(), "status", 6, MSG_NOSIGNAL), 6);
  EXPECT_EQ(Receive(slow), "");
  EXPECT_NE(Receive(second), "");
}

TEST_F(ControlThreadTest, ASignalDoesNotWaitForASlowClient) {
  Start();
  const UniqueFd slow = Connect();
  EXPECT_EQ(Receive(slow, 20), "nothing");
  ASSERT_EQ(kill(getpid(), SIGHUP), 0);
  for (int i = 0; i < 1000 && broker().generation() == 1; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(broker().generation(), 2U);
}

TEST_F(ControlThreadTest, ASlowClientDoesNotDelayTheEnd) {
  Start();
  const UniqueFd slow = Connect();
  control_.reset();
  EXPECT_EQ(Receive(slow), "");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ControlThreadTest, IsForItsOwnerAlone) {
  Start();
  struct stat status = {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(ControlThreadTest, AStrangerIsNotHeardEvenIfThePathLetsItIn) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can play somebody else";
  Start();
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);
  ASSERT_EQ(chmod((folder_ / "").c_str(), 0755), 0);
  const UniqueFd stranger = Connect(Who::kStranger);
  if (!stranger.valid()) GTEST_SKIP() << "there is nobody else here";
  send(stranger.get(), "reload", 6, MSG_NOSIGNAL);
  EXPECT_EQ(Receive(stranger), "");
  EXPECT_EQ(broker().generation(), 1U);
}

// A rule that is too wide must not let a worker give orders through the broker.
TEST_F(ControlThreadTest, TheBrokerItselfIsNotHeard) {
  Start();
  const UniqueFd self = Connect(Who::kSelf);
  send(self.get(), "reload", 6, MSG_NOSIGNAL);
  EXPECT_EQ(Receive(self), "");
  EXPECT_EQ(broker().generation(), 1U);
}

TEST_F(ControlThreadTest, AfterTheBrokersEnd) {
  Start();
  Stop();
  EXPECT_EQ(Ask("status"), R"({"error":"the broker has stopped"})");
  EXPECT_EQ(json::parse(Ask("reload")).at("loaded"), false);
}

}  // namespace
}  // namespace sockgate
