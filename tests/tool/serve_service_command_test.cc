// `sockgate serve` in its cage as a service manager's daemon: the test plays systemd.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/broker/replace_world.h"
#include "tests/support/loopback_tcp.h"
#include "tests/tool/command.h"
#include "tests/tool/policy_daemon.h"
#include "tests/tool/service_manager.h"

namespace sockgate::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class ServeServiceCommand : public ::testing::TestWithParam<const char*>, protected PolicyDaemon {
 protected:
  void SetUp() override {
    if (!user().empty() && geteuid() != 0) GTEST_SKIP() << "only root can have it be another user";
    WritePolicy(PolicyText(absl::StrCat(target_.port())));
  }

  std::string user() const { return GetParam(); }
  bool StartIt(std::chrono::microseconds watchdog = {}) {
    std::vector<std::string> options;
    if (!user().empty()) {
      const passwd* entry = getpwnam(user().c_str());
      // What the manager has bound stays its own.
      for (const std::string& mine : {policy(), InFolder(".")}) {
        EXPECT_EQ(chown(mine.c_str(), entry->pw_uid, entry->pw_gid), 0);
      }
      options = {"--user", user()};
    }
    return Start(options, manager_.Hands(watchdog));
  }
  std::string Next(milliseconds patience = std::chrono::seconds(10)) const {
    return manager_.Next(pid(), patience);
  }
  std::string Ready(const std::string& status) const {
    return absl::StrCat("READY=1\nMAINPID=", pid(), "\nSTATUS=", status);
  }
  bool Serves(TestWorker* worker) const {
    return worker->Ask(ConnectTo("127.0.0.1", target_.port())).result().error == ECONNREFUSED;
  }
  static mode_t Mode(const std::string& path) {
    struct stat status;
    return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
  }

  const RefusingPort target_ = *RefusingPort::Reserve();
  ServiceManager manager_{InFolder("notify")};
};

TEST_P(ServeServiceCommand, SaysWhenItIsReadyWhenItReloadsAndWhenItStops) {
  ASSERT_TRUE(StartIt()) << StandardError();
  EXPECT_EQ(Next(), Ready("policy 1 in force, workers: 0"));
  TestWorker worker = Worker();
  Signal(SIGHUP);
  EXPECT_THAT(Next(), MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  EXPECT_EQ(Next(), Ready("policy 2 in force, workers: 1"));
  WritePolicy("version = 2\n");
  Signal(SIGHUP);
  EXPECT_THAT(Next(), HasSubstr("RELOADING=1"));
  EXPECT_EQ(Next(), Ready("policy 2 in force (another was rejected), workers: 1"));
  const pid_t daemon = pid();
  EXPECT_EQ(Stop(), 0) << StandardError();
  EXPECT_EQ(manager_.Next(daemon), "STOPPING=1");
  EXPECT_EQ(manager_.Next(daemon, milliseconds(0)), "");
}

TEST_P(ServeServiceCommand, TheStatusFollowsTheWorkers) {
  ASSERT_TRUE(StartIt()) << StandardError();
  EXPECT_THAT(Next(), HasSubstr("READY=1"));
  TestWorker worker = Worker();
  EXPECT_EQ(Next(std::chrono::seconds(20)), "STATUS=policy 1 in force, workers: 1");
  EXPECT_EQ(Stop(), 0) << StandardError();
}

TEST_P(ServeServiceCommand, BeatsForTheWatchdogUntilItHangs) {
  ASSERT_TRUE(StartIt(milliseconds(400))) << StandardError();
  EXPECT_THAT(manager_.NextOf(pid(), "READY=1"), HasSubstr("READY=1"));
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(manager_.NextOf(pid(), "WATCHDOG=1"), "WATCHDOG=1");
  const auto passed = std::chrono::steady_clock::now() - begun;
  EXPECT_GE(passed, milliseconds(600));
  EXPECT_LT(passed, milliseconds(5000));
  Signal(SIGSTOP);
  while (Next(milliseconds(500)) != "") {
  }
  EXPECT_EQ(Next(milliseconds(500)), "");
  Signal(SIGCONT);
  EXPECT_EQ(Next(), "WATCHDOG=1");
  EXPECT_EQ(Stop(), 0) << StandardError();
}

TEST_P(ServeServiceCommand, ServesTheSocketsThatAreHandedOver) {
  manager_.Bind(path(), 0666);
  manager_.Bind(control(), 0600);
  TestWorker early = ReplaceWorld::ConnectToPath(path());
  ASSERT_TRUE(StartIt()) << StandardError();
  early.Greet();
  EXPECT_TRUE(Serves(&early));
  TestWorker worker = Worker();
  EXPECT_TRUE(Serves(&worker));
  EXPECT_EQ(Mode(path()), 0666U) << "not what the policy says";
  Signal(SIGHUP);
  ASSERT_TRUE(Await([](const json& status) { return status["policy"]["generation"] == 2; }));
  TestWorker late = Worker();
  EXPECT_TRUE(Serves(&late));
  EXPECT_EQ(Stop(), 0) << StandardError();
  EXPECT_EQ(Mode(path()), 0666U) << "the path is not the broker's to unlink";
  EXPECT_EQ(Mode(control()), 0600U);
  // And the next one is handed them again.
  TestWorker between = ReplaceWorld::ConnectToPath(path());
  ASSERT_TRUE(StartIt()) << StandardError();
  between.Greet();
  EXPECT_TRUE(Serves(&between));
  EXPECT_EQ(Stop(), 0) << StandardError();
}

TEST_P(ServeServiceCommand, APathWithoutASocketIsBoundAsEver) {
  manager_.Bind(path(), 0666);
  WritePolicy(absl::StrCat(PolicyText(absl::StrCat(target_.port())), "[[listen]]\npath = \"",
                           InFolder("own"), "\"\nrole = \"fetch\"\nmode = \"0640\"\n"));
  ASSERT_TRUE(StartIt()) << StandardError();
  EXPECT_EQ(Mode(InFolder("own")), 0640U);
  TestWorker worker = ReplaceWorld::ConnectToPath(InFolder("own"));
  worker.Greet();
  EXPECT_TRUE(Serves(&worker));
  EXPECT_EQ(Stop(), 0) << StandardError();
  EXPECT_FALSE(fs::exists(InFolder("own")));
  EXPECT_TRUE(fs::exists(path()));
}

// No descriptor of the manager's gets to the process that starts resolvers.
TEST_P(ServeServiceCommand, TheKeeperHasNoneOfThem) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may look at what it has";
  manager_.Bind(path(), 0666);
  ASSERT_TRUE(StartIt()) << StandardError();
  pid_t keeper = 0;
  std::ifstream(absl::StrCat("/proc/", pid(), "/task/", pid(), "/children")) >> keeper;
  ASSERT_GT(keeper, 0);
  const auto sockets_of = [](pid_t process) {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(absl::StrCat("/proc/", process, "/fd"))) {
      const std::string link = fs::read_symlink(entry.path());
      if (link.rfind("socket:", 0) == 0) all.push_back(link);
    }
    return all;
  };
  const std::vector<std::string> brokers = sockets_of(pid());
  EXPECT_GE(brokers.size(), 4U);
  for (const std::string& one : sockets_of(keeper)) {
    EXPECT_EQ(std::count(brokers.begin(), brokers.end(), one), 0) << one;
  }
  EXPECT_EQ(Stop(), 0) << StandardError();
}

INSTANTIATE_TEST_SUITE_P(AsStarter, ServeServiceCommand, ::testing::Values(""));
INSTANTIATE_TEST_SUITE_P(AsNobody, ServeServiceCommand, ::testing::Values("nobody"));

class ServeServiceStart : public ::testing::Test {
 protected:
  // A start that fails; what it says.
  std::string Refusal(const std::vector<std::string>& arguments, const ServiceManager& manager) {
    const pid_t pid = StartSockgate(arguments, folder_ / "stderr", manager.Hands());
    int status = -1;
    waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
    std::ifstream file(folder_ / "stderr");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const TempFolder folder_;
};

TEST_F(ServeServiceStart, ASocketThatIsForNothingIsNamed) {
  ServiceManager manager(folder_ / "notify");
  manager.Bind(folder_ / "stray", 0600);
  EXPECT_THAT(Refusal({"serve", "--listen", folder_ / "path"}, manager),
              HasSubstr(absl::StrCat("inherited socket 3 (sockgate.socket) is at ",
                                     folder_ / "stray", ", where this broker is not told")));
  EXPECT_TRUE(fs::exists(folder_ / "stray"));
  EXPECT_FALSE(fs::exists(folder_ / "path"));
}

// A name that Landlock would keep a connection from, had it not been made before.
TEST_F(ServeServiceStart, AnAbstractNameAndNoPolicyFile) {
  ServiceManager manager(absl::StrCat("@sockgate-service-", getpid()));
  const std::string path = folder_ / "path";
  manager.Bind(path, 0600);
  const pid_t pid = StartSockgate({"serve", "--listen", path, "--allow", "127.0.0.1:*"},
                                  folder_ / "stderr", manager.Hands(milliseconds(200)));
  EXPECT_THAT(manager.NextOf(pid, "READY=1"), HasSubstr("STATUS=policy 1 in force, workers: 0"));
  EXPECT_EQ(manager.NextOf(pid, "WATCHDOG=1"), "WATCHDOG=1");
  TestWorker worker = ReplaceWorld::ConnectToPath(path);
  worker.Greet();
  EXPECT_EQ(kill(pid, SIGHUP), 0);
  EXPECT_THAT(manager.NextOf(pid, "RELOADING=1"), HasSubstr("MONOTONIC_USEC="));
  EXPECT_THAT(manager.NextOf(pid, "READY=1"), HasSubstr("workers: 1"));
  EXPECT_EQ(kill(pid, SIGTERM), 0);
  EXPECT_EQ(manager.NextOf(pid, "STOPPING=1"), "STOPPING=1");
  int status = -1;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(fs::exists(path));
}

TEST_F(ServeServiceStart, AManagerThatIsNotThereIsWarnedOf) {
  PolicyDaemon daemon;
  daemon.WritePolicy(daemon.PolicyText("1"));
  ASSERT_TRUE(daemon.Start({}, [this] {
    setenv("NOTIFY_SOCKET", (folder_ / "nobody").c_str(), 1);
  })) << daemon.StandardError();
  EXPECT_THAT(daemon.StandardError(), HasSubstr("warning: the service manager hears nothing"));
  EXPECT_EQ(daemon.Stop(), 0);
}

}  // namespace
}  // namespace sockgate::testing
