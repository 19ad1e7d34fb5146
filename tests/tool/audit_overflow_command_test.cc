// A daemon in its cage whose audit log cannot be written: a full disk, a limit on the size of files,
// a device that never takes anything. What `audit_overflow` says is done, and when room returns, or
// the next file begins, everything goes on and the counts agree.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "absl/strings/str_cat.h"
#include "proto/check.h"
#include "tests/broker/replace_world.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/test_mounts.h"
#include "tests/tool/command.h"
#include "tests/tool/policy_daemon.h"

namespace sockgate::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr size_t kLittle = 65536;
constexpr size_t kPlenty = size_t{64} << 20;
// More than the broker lets wait, at some 300 bytes each.
constexpr int kManyRequests = 9000;

// How many bytes the lines take that have their end.
size_t WholeLines(const std::string& file) {
  std::ifstream stream(file);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  return text.rfind('\n') + 1;
}

class AuditOverflowCommand : public ::testing::Test, protected PolicyDaemon {
 protected:
  void SetUp() override { fs::create_directory(InFolder("disk")); }

  std::string Policy(const std::string& overflow) const {
    std::string text = PolicyText(absl::StrCat(target_.port()));
    return text.insert(text.find('\n') + 1, absl::StrCat("audit_overflow = \"", overflow, "\"\n"));
  }
  void LimitedUser(std::vector<std::string>* options) const {
    const passwd* user = geteuid() == 0 ? getpwnam("nobody") : nullptr;
    // In a user namespace there is no other user.
    if (user == nullptr || lchown(policy().c_str(), user->pw_uid, user->pw_gid) != 0) return;
    GiveFolderTo(user->pw_uid, user->pw_gid);
    options->insert(options->end(), {"--user", "nobody"});
  }
  bool StartIt(
      const std::string& overflow, const std::function<void()>& prepare = [] {}) {
    WritePolicy(Policy(overflow));
    std::vector<std::string> options;
    LimitedUser(&options);
    return Start(options, prepare);
  }

  Outcome Ask(TestWorker* worker) {
    const Result result = worker->Ask(ConnectTo("127.0.0.1", target_.port())).result();
    ++asked_;
    if (result.outcome == Outcome::kLimited) {
      EXPECT_EQ(result.reason, Reason::kAuditLog);
      ++limited_;
    } else {
      EXPECT_EQ(result.error, static_cast<uint32_t>(ECONNREFUSED));
    }
    return result.outcome;
  }
  void AskMany(TestWorker* worker) {
    for (int i = 0; i < kManyRequests; ++i) Ask(worker);
  }
  bool AskUntil(TestWorker* worker, Outcome outcome) {
    for (int i = 0; i < kManyRequests; ++i) {
      if (Ask(worker) == outcome) return true;
      if (outcome != Outcome::kLimited) usleep(1000);
    }
    return false;
  }

  // Of one channel that has ended: all lines are written or counted.
  void ExpectCountsAgree() {
    size_t written = 0;
    size_t lost = 0;
    size_t decisions = 0;
    for (const json& line : AllFiles()) {
      const bool tells = line["event"] == "lost";
      lost += tells ? line["lines"].get<size_t>() : 0;
      written += tells ? 0 : 1;
      decisions += line["event"] == "decision" ? 1 : 0;
    }
    const size_t decided = asked_ - limited_;
    constexpr size_t kCageResolverOpenedClosed = 4;
    EXPECT_EQ(written + lost, 2 * decided + limited_ + kCageResolverOpenedClosed);
    EXPECT_GT(lost, 0U);
    if (limited_ > 0) {
      EXPECT_EQ(decisions, decided) << "none goes unlogged";
    }
  }
  // The lines of one file after the other. Only what a rotation has left behind may end in a piece.
  std::vector<json> AllFiles() const {
    std::vector<json> all;
    for (int i = 1; i <= rotations_ + 1; ++i) {
      const std::string file = i > rotations_ ? audit() : absl::StrCat(audit(), ".", i);
      if (i <= rotations_) fs::resize_file(file, WholeLines(file));
      for (json& line : Audit(file)) all.push_back(std::move(line));
    }
    return all;
  }

  // Full by little, and then there is plenty of room. The log is at audit().
  void ExpectDenies(const std::function<void()>& make_room) {
    TestWorker worker = Worker();
    ASSERT_TRUE(AskUntil(&worker, Outcome::kLimited));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(Ask(&worker), Outcome::kLimited);
    make_room();
    ASSERT_TRUE(AskUntil(&worker, Outcome::kFailed));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(Ask(&worker), Outcome::kFailed);
    EndWell(&worker);
    EXPECT_GT(limited_, 0U);
  }
  void ExpectDrops(const std::function<void()>& make_room) {
    TestWorker worker = Worker();
    AskMany(&worker);
    make_room();
    EndWell(&worker);
    EXPECT_EQ(limited_, 0U);
  }
  void EndWell(TestWorker* worker) {
    worker->Close();
    ASSERT_TRUE(Await([](const json& status) { return status["roles"][0]["workers"] == 0; }));
    EXPECT_EQ(Stop(), 0) << StandardError();
    ExpectCountsAgree();
  }

  const RefusingPort target_ = *RefusingPort::Reserve();
  size_t asked_ = 0;
  size_t limited_ = 0;
  int rotations_ = 0;
};

class OnAFullDisk : public AuditOverflowCommand {
 protected:
  void SetUp() override {
    AuditOverflowCommand::SetUp();
    disk_ = std::make_unique<TinyDisk>(InFolder("disk"), kLittle);
    AuditTo(*disk_ / "audit");
  }
  std::function<void()> MakeRoom() const {
    return [this] {
      EXPECT_EQ(fs::space(*disk_ / ".").available, 0U) << "it was never full";
      disk_->Resize(kPlenty);
    };
  }

  std::unique_ptr<TinyDisk> disk_;
};

TEST_F(OnAFullDisk, RequestsAreDenied) {
  ASSERT_TRUE(StartIt("deny")) << StandardError();
  ExpectDenies(MakeRoom());
}

TEST_F(OnAFullDisk, LinesAreDropped) {
  ASSERT_TRUE(StartIt("drop")) << StandardError();
  ExpectDrops(MakeRoom());
}

// The line that was cut in the old file is whole in the new one.
TEST_F(OnAFullDisk, ARotationTakesAlongWhatWaits) {
  ASSERT_TRUE(StartIt("deny")) << StandardError();
  TestWorker worker = Worker();
  ASSERT_TRUE(AskUntil(&worker, Outcome::kLimited));
  fs::rename(audit(), audit() + ".1");
  Signal(SIGHUP);
  ASSERT_TRUE(Await([](const json& status) { return status["policy"]["generation"] == 2; }));
  fs::copy(audit() + ".1", InFolder("old"));
  fs::resize_file(InFolder("old"), WholeLines(InFolder("old")));
  EXPECT_LT(fs::file_size(InFolder("old")), kLittle) << "nothing was cut";
  fs::remove(audit() + ".1");
  disk_->Resize(kPlenty);
  ASSERT_TRUE(AskUntil(&worker, Outcome::kFailed));
  worker.Close();
  EXPECT_EQ(Stop(), 0) << StandardError();
  std::vector<int> decided;
  for (const std::string& file : {InFolder("old"), audit()}) {
    for (const json& line : Audit(file)) {
      if (line["event"] == "decision") decided.push_back(line["request"]);
    }
  }
  EXPECT_EQ(decided.size(), asked_ - limited_);
  EXPECT_TRUE(std::is_sorted(decided.begin(), decided.end()));
  EXPECT_EQ(std::adjacent_find(decided.begin(), decided.end()), decided.end());
}

class UnderAFileSizeLimit : public AuditOverflowCommand {
 protected:
  static void Limit() {
    const rlimit limit = {kLittle, kLittle};
    SOCKGATE_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  // File by file, until all that has waited is written.
  std::function<void()> MakeRoom() {
    return [this] {
      EXPECT_EQ(fs::file_size(audit()), kLittle) << "the limit was never reached";
      while (fs::file_size(audit()) == kLittle && rotations_ < 100) {
        fs::rename(audit(), absl::StrCat(audit(), ".", ++rotations_));
        ASSERT_EQ(RunSockgate({"rotate", "--control", control()}).status, 0);
        usleep(50'000);
      }
      EXPECT_GT(rotations_, 10);
    };
  }
};

TEST_F(UnderAFileSizeLimit, RequestsAreDeniedAndTheSignalDoesNotKill) {
  ASSERT_TRUE(StartIt("deny", Limit)) << StandardError();
  ExpectDenies(MakeRoom());
}

TEST_F(UnderAFileSizeLimit, LinesAreDroppedAndTheSignalDoesNotKill) {
  ASSERT_TRUE(StartIt("drop", Limit)) << StandardError();
  ExpectDrops(MakeRoom());
}

TEST_F(AuditOverflowCommand, AReloadChangesIt) {
  AuditTo("/dev/full");
  ASSERT_TRUE(StartIt("deny")) << StandardError();
  TestWorker worker = Worker();
  ASSERT_TRUE(AskUntil(&worker, Outcome::kLimited));
  for (int i = 0; i < 2; ++i) {
    WritePolicy(Policy("drop"));
    ASSERT_EQ(RunSockgate({"reload", "--control", control()}).status, 0);
    EXPECT_EQ(Ask(&worker), Outcome::kFailed);
    WritePolicy("version = 1\naudit_overflow = \"deny\"\n");
    ASSERT_EQ(RunSockgate({"reload", "--control", control()}).status, 1);
    EXPECT_EQ(Ask(&worker), Outcome::kFailed) << "what is rejected changes nothing";
    WritePolicy(Policy("deny"));
    ASSERT_EQ(RunSockgate({"reload", "--control", control()}).status, 0);
    EXPECT_EQ(Ask(&worker), Outcome::kLimited);
  }
  EXPECT_EQ(Stop(), 0);
}

TEST_F(AuditOverflowCommand, WithoutAPolicyFileAnOptionSaysIt) {
  for (const char* overflow : {"", "deny", "drop"}) {
    std::vector<std::string> arguments = {
        "serve",   "--listen", path(), "--allow", absl::StrCat("127.0.0.1:", target_.port()),
        "--audit", "/dev/full"};
    if (*overflow != 0) arguments.insert(arguments.end(), {"--audit-overflow", overflow});
    const pid_t pid = StartSockgate(arguments, InFolder("stderr"));
    TestWorker worker = ReplaceWorld::ConnectToPath(path());
    for (int i = 0; i < 1000 && worker.descriptor() < 0; ++i) {
      usleep(10'000);
      worker = ReplaceWorld::ConnectToPath(path());
    }
    worker.Greet();
    EXPECT_EQ(AskUntil(&worker, Outcome::kLimited), overflow != std::string("drop")) << overflow;
    kill(pid, SIGTERM);
    int status = -1;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(RunSockgate({"serve", "--policy", policy(), "--audit-overflow", "drop"}).status, 2);
  EXPECT_EQ(RunSockgate({"serve", "--listen", path(), "--audit-overflow", "x"}).status, 2);
}

}  // namespace
}  // namespace sockgate::testing
