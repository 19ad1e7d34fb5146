// The audit log of a daemon in its cage, whose file something else renames while workers ask: every
// line is in one of the files, whole, and once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/broker/replace_world.h"
#include "tests/broker/temp_folder.h"
#include "tests/support/loopback_tcp.h"
#include "tests/tool/command.h"
#include "tests/tool/policy_daemon.h"

namespace sockgate::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kWorkers = 3;
constexpr int kRequestsEach = 4000;
constexpr int kLeastRotations = 20;
constexpr char kOpenedAnew[] = "audit log opened anew";

size_t Count(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class AuditRotationCommand : public ::testing::TestWithParam<const char*>, protected PolicyDaemon {
 protected:
  void SetUp() override {
    if (!user().empty() && geteuid() != 0) GTEST_SKIP() << "only root can have it be another user";
    fs::create_directory(InFolder("logs"));
    AuditTo(InFolder("logs/audit"));
    WritePolicy(PolicyText(absl::StrCat(target_.port())));
  }

  std::string user() const { return GetParam(); }
  bool StartIt(std::vector<std::string> options = {}) {
    if (!user().empty()) {
      const passwd* entry = getpwnam(user().c_str());
      GiveFolderTo(entry->pw_uid, entry->pw_gid);
      options.insert(options.end(), {"--user", user()});
    }
    return Start(options);
  }
  void Ask(TestWorker* worker) const {
    const Result result = worker->Ask(ConnectTo("127.0.0.1", target_.port())).result();
    EXPECT_EQ(result.outcome, Outcome::kFailed);
    EXPECT_EQ(result.error, static_cast<uint32_t>(ECONNREFUSED));
  }
  bool Says(const std::string& what, size_t times) const {
    return Await([&](const json&) { return Count(StandardError(), what) >= times; });
  }
  // As logrotate(8) does it, by the signal or by the command. `times`: with this one.
  void Rotate(int times) {
    fs::rename(audit(), absl::StrCat(audit(), ".", times));
    if (times % 2 == 0) {
      Signal(SIGHUP);
    } else {
      EXPECT_EQ(RunSockgate({"rotate", "--control", control()}).status, 0);
    }
    ASSERT_TRUE(Says(kOpenedAnew, static_cast<size_t>(times))) << StandardError();
  }

  const RefusingPort target_ = *RefusingPort::Reserve();
};

TEST_P(AuditRotationCommand, NoLineIsLostTornOrDoubledUnderLoad) {
  ASSERT_TRUE(StartIt()) << StandardError();
  std::atomic<int> asking = kWorkers;
  std::vector<std::thread> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&] {
      TestWorker worker = Worker();
      for (int j = 0; j < kRequestsEach; ++j) Ask(&worker);
      --asking;
    });
  }
  int rotations = 0;
  while (!HasFatalFailure() && (asking > 0 || rotations < kLeastRotations)) Rotate(++rotations);
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(Stop(), 0);

  std::map<int, std::vector<int>> decisions;  // by channel, in the order of the files
  std::map<int, std::vector<int>> completions;
  for (int i = 1; i <= rotations + 1; ++i) {
    const bool last = i > rotations;
    for (const json& line : Audit(last ? audit() : absl::StrCat(audit(), ".", i))) {
      EXPECT_NE(line.at("event"), "lost");
      if (line.at("event") == "decision") decisions[line["channel"]].push_back(line["request"]);
      if (line.at("event") == "completion") completions[line["channel"]].push_back(line["request"]);
    }
  }
  EXPECT_EQ(decisions.size(), static_cast<size_t>(kWorkers));
  EXPECT_EQ(completions, decisions);
  for (const auto& [channel, requests] : decisions) {
    ASSERT_EQ(requests.size(), static_cast<size_t>(kRequestsEach));
    for (size_t i = 1; i < requests.size(); ++i) ASSERT_EQ(requests[i], requests[i - 1] + 1);
  }
}

TEST_P(AuditRotationCommand, WhatCannotBeOpenedLeavesTheLogWhereItIs) {
  ASSERT_TRUE(StartIt()) << StandardError();
  TestWorker worker = Worker();
  fs::rename(audit(), audit() + ".old");
  fs::create_symlink(policy(), audit());
  const CommandResult rotate = RunSockgate({"rotate", "--control", control()});
  EXPECT_EQ(rotate.status, 1);
  EXPECT_THAT(rotate.err, HasSubstr("Too many levels of symbolic links"));
  EXPECT_THAT(StandardError(), HasSubstr("not opened anew: cannot write " + audit()));
  EXPECT_THAT(StandardError(), HasSubstr("it goes on where it was"));
  Ask(&worker);
  fs::remove(audit());
  Signal(SIGHUP);
  ASSERT_TRUE(Says(kOpenedAnew, 1));
  Ask(&worker);
  EXPECT_EQ(Stop(), 0);
  const auto decisions = [&](const std::string& file) {
    const std::vector<json> lines = Audit(file);
    return std::count_if(lines.begin(), lines.end(),
                         [](const json& line) { return line["event"] == "decision"; });
  };
  EXPECT_EQ(decisions(audit() + ".old"), 1);
  EXPECT_EQ(decisions(audit()), 1);
  struct stat status;
  ASSERT_EQ(stat(audit().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

// What the reload is about is in the new file.
TEST_P(AuditRotationCommand, TheSignalRotatesFirstAndReloadsThen) {
  ASSERT_TRUE(StartIt()) << StandardError();
  fs::rename(audit(), audit() + ".old");
  WritePolicy("version = 2\n");
  Signal(SIGHUP);
  ASSERT_TRUE(Await([&](const json&) { return fs::exists(audit()) && !Audit().empty(); }));
  EXPECT_EQ(Stop(), 0);
  const std::vector<json> lines = Audit();
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0]["change"], "rejected");
  EXPECT_EQ(Audit(audit() + ".old").at(0)["event"], "cage");
}

TEST_P(AuditRotationCommand, AFolderThatWasReplacedIsSaid) {
  ASSERT_TRUE(StartIt()) << StandardError();
  fs::remove_all(InFolder("logs"));
  fs::create_directory(InFolder("logs"));
  EXPECT_THAT(RunSockgate({"rotate", "--control", control()}).err,
              HasSubstr("No such file or directory"));
  EXPECT_EQ(Stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(AsStarter, AuditRotationCommand, ::testing::Values(""));
INSTANTIATE_TEST_SUITE_P(AsNobody, AuditRotationCommand, ::testing::Values("nobody"));

// There is nothing to open anew, and the signal reloads as ever.
TEST(AuditRotationOfOther, StandardErrorAndDevices) {
  for (const char* where : {"-", "/dev/null"}) {
    PolicyDaemon daemon;
    daemon.WritePolicy(daemon.PolicyText("1"));
    daemon.AuditTo(where);
    ASSERT_TRUE(daemon.Start()) << daemon.StandardError();
    EXPECT_THAT(RunSockgate({"rotate", "--control", daemon.control()}).err,
                HasSubstr("nothing that can be opened anew"));
    daemon.Signal(SIGHUP);
    EXPECT_TRUE(
        daemon.Await([](const json& status) { return status["policy"]["generation"] == 2; }));
    EXPECT_THAT(daemon.StandardError(), Not(HasSubstr("opened anew")));
    EXPECT_EQ(daemon.Stop(), 0);
  }
}

// SIGHUP must not end it either.
TEST(AuditRotationWithoutPolicyFile, TheSignalRotates) {
  const TempFolder folder;
  const std::string audit = folder / "audit";
  const pid_t pid = StartSockgate(
      {"serve", "--listen", folder / "path", "--allow", "127.0.0.1:*", "--audit", audit},
      folder / "stderr");
  const auto lines_of = [](const std::string& file) { return PolicyDaemon::Audit(file).size(); };
  const auto await = [](const std::function<bool()>& condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  };
  ASSERT_TRUE(
      await([&] { return ReplaceWorld::ConnectToPath(folder / "path").descriptor() >= 0; }));
  for (size_t i = 1; i <= 3; ++i) {
    TestWorker worker = ReplaceWorld::ConnectToPath(folder / "path");
    worker.Greet();
    fs::rename(audit, absl::StrCat(audit, ".", i));
    ASSERT_EQ(kill(pid, SIGHUP), 0);
    ASSERT_TRUE(await([&] { return Count(TextOf(folder / "stderr"), kOpenedAnew) == i; }));
  }
  TestWorker worker = ReplaceWorld::ConnectToPath(folder / "path");
  worker.Greet();
  ASSERT_TRUE(await([&] { return lines_of(audit) > 0; }));
  kill(pid, SIGTERM);
  int status = -1;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
  size_t lines = lines_of(audit);
  for (int i = 1; i <= 3; ++i) lines += lines_of(absl::StrCat(audit, ".", i));
  EXPECT_EQ(lines, 1U + 5 * 2) << "the cage's, and those of each channel";
}

}  // namespace
}  // namespace sockgate::testing
