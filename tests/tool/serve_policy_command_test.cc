// `sockgate serve --policy`, `sockgate reload` and `sockgate status`.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/support/loopback_tcp.h"
#include "tests/tool/command.h"
#include "tests/tool/policy_daemon.h"

namespace sockgate::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ServePolicyCommand : public ::testing::Test, protected PolicyDaemon {
 protected:
  bool Allowed(TestWorker* worker, uint16_t port) {
    return worker->Ask(ConnectTo("127.0.0.1", port)).result().outcome != Outcome::kDenied;
  }
  CommandResult Reload() const { return RunSockgate({"reload", "--control", control()}); }
};

TEST_F(ServePolicyCommand, ServesWhatTheFileSays) {
  const auto target = SilentListener::Listen();
  WritePolicy(PolicyText(absl::StrCat(target->port())));
  ASSERT_TRUE(Start()) << StandardError();
  TestWorker worker = Worker();
  EXPECT_EQ(worker.Ask(ConnectTo("127.0.0.1", target->port())).result().outcome,
            Outcome::kConnected);
  EXPECT_FALSE(Allowed(&worker, 1));
  EXPECT_EQ(Stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_FALSE(std::filesystem::exists(control()));
  for (const json& line : Audit()) {
    if (line.at("event") != "decision") continue;
    EXPECT_EQ(line.at("policy"), 1);
    EXPECT_EQ(line.value("line", 0), line.at("verdict") == "allow" ? 7 : 0);
  }
}

TEST_F(ServePolicyCommand, ASignalAndTheCommandReloadAlike) {
  WritePolicy(PolicyText("1"));
  ASSERT_TRUE(Start()) << StandardError();
  TestWorker worker = Worker();
  EXPECT_TRUE(Allowed(&worker, 1));
  WritePolicy(PolicyText("2"));
  Signal(SIGHUP);
  ASSERT_TRUE(Await([](const json& status) { return status["policy"]["generation"] == 2; }));
  EXPECT_FALSE(Allowed(&worker, 1));
  EXPECT_TRUE(Allowed(&worker, 2));
  WritePolicy(PolicyText("1"));
  const CommandResult reload = Reload();
  EXPECT_EQ(reload.status, 0) << reload.err;
  EXPECT_EQ(reload.out, "policy 3 in force\n");
  EXPECT_TRUE(Allowed(&worker, 1));
}

TEST_F(ServePolicyCommand, ABadFileIsToldOfEverywhereAndChangesNothing) {
  WritePolicy(PolicyText("1"));
  ASSERT_TRUE(Start()) << StandardError();
  TestWorker worker = Worker();
  WritePolicy(PolicyText("2") + "alow = []\n");
  const CommandResult reload = Reload();
  EXPECT_EQ(reload.status, 1);
  EXPECT_EQ(reload.out, "");
  const std::string where = absl::StrCat(policy(), ":9:1: error: ");
  EXPECT_THAT(reload.err, StartsWith(where));
  EXPECT_THAT(reload.err, HasSubstr("rejected; policy 1 stays in force"));
  EXPECT_TRUE(Allowed(&worker, 1));
  EXPECT_THAT(StandardError(), HasSubstr(where));

  const CommandResult status = RunSockgate({"status", "--control", control()});
  EXPECT_EQ(status.status, 0) << status.err;
  EXPECT_THAT(status.out, HasSubstr(where));
  // Shown until a reload succeeds.
  WritePolicy(PolicyText("2"));
  EXPECT_EQ(Reload().status, 0);
  EXPECT_TRUE(Status()["policy"]["last_error"].is_null());
  EXPECT_EQ(Stop(), 0);
  std::vector<std::string> changes;
  for (const json& line : Audit()) {
    if (line.at("event") == "policy") changes.push_back(line.at("change"));
  }
  EXPECT_THAT(changes, ::testing::ElementsAre("rejected", "loaded"));
}

TEST_F(ServePolicyCommand, StatusIsATable) {
  WritePolicy(PolicyText("1"));
  ASSERT_TRUE(Start()) << StandardError();
  const TestWorker worker = Worker();
  const CommandResult status = RunSockgate({"status", "--control", control()});
  EXPECT_EQ(status.status, 0) << status.err;
  EXPECT_THAT(status.out, StartsWith(absl::StrCat("policy 1 of ", policy(), ", loaded at 2")));
  EXPECT_THAT(status.out, HasSubstr("\n\n"
                                    "ROLE   MODE     WORKERS  CHANNELS  PENDING"));
  EXPECT_THAT(status.out, HasSubstr("\nfetch  enforce        1         1  "));
  EXPECT_THAT(status.out, HasSubstr(absl::StrCat("\n\nROLE   MODE  LISTENING ON\nfetch  0600  ",
                                                 path(), "\n")));
  const CommandResult as_json = RunSockgate({"status", "--control", control(), "--json"});
  EXPECT_EQ(json::parse(as_json.out)["roles"][0]["workers"], 1);
}

TEST_F(ServePolicyCommand, AFileWithAnErrorIsNotServed) {
  WritePolicy(PolicyText("0"));
  const CommandResult serve = RunSockgate({"serve", "--policy", policy()});
  EXPECT_EQ(serve.status, 1);
  EXPECT_THAT(serve.err, StartsWith(absl::StrCat(policy(), ":7:")));
  EXPECT_THAT(serve.err, HasSubstr(": error: "));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(ServePolicyCommand, HostRulesAreServed) {
  std::string text = PolicyText("1");
  text.insert(text.rfind(']'), "  { host = \"www.example.com\", ports = 443 },\n");
  WritePolicy(text);
  ASSERT_TRUE(Start()) << StandardError();
  EXPECT_THAT(StandardError(), Not(HasSubstr("warning")));
}

TEST_F(ServePolicyCommand, APolicyWithoutAPathIsAnError) {
  WritePolicy("version = 1\n[roles.r]\nallow = [ { public = true, ports = 443 } ]\n");
  const CommandResult serve = RunSockgate({"serve", "--policy", policy()});
  EXPECT_EQ(serve.status, 1);
  EXPECT_THAT(serve.err, HasSubstr("there is no path where workers could ask"));
}

// Whoever reads that it listens may give orders at once.
TEST_F(ServePolicyCommand, NothingIsSaidToListenBeforeTheControlSocketDoes) {
  WritePolicy(PolicyText("1"));
  const std::string nowhere = InFolder("none/control");
  const CommandResult missing = RunSockgate({"serve", "--policy", policy(), "--control", nowhere});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.err, HasSubstr(absl::StrCat("cannot listen on ", nowhere,
                                                  ": there is no folder ", InFolder("none"))));
  EXPECT_THAT(missing.err, Not(HasSubstr("listening")));
  EXPECT_THAT(RunSockgate({"serve", "--policy", policy(), "--control", path()}).err,
              HasSubstr("this broker listens there already: give each its own path"));
}

TEST_F(ServePolicyCommand, OrdersAtTheWorkersPath) {
  WritePolicy(PolicyText("1"));
  ASSERT_TRUE(Start()) << StandardError();
  const CommandResult status = RunSockgate({"status", "--control", path()});
  EXPECT_EQ(status.status, 1);
  EXPECT_THAT(status.err, HasSubstr("workers connect to that path: name the one of its --control"));
}

TEST_F(ServePolicyCommand, WithoutABroker) {
  for (const char* command : {"metrics", "reload", "status"}) {
    const CommandResult result = RunSockgate({command, "--control", control()});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, HasSubstr("no broker at"));
    EXPECT_EQ(RunSockgate({command}).status, 2);
  }
}

TEST_F(ServePolicyCommand, OptionsThatDoNotGoTogether) {
  const std::vector<std::vector<std::string>> cases = {
      {"serve"},
      {"serve", "--policy", "p", "--listen", "l"},
      {"serve", "--policy", "p", "--allow", "127.0.0.1:1"},
      {"serve", "--policy", "p", "--deny", "127.0.0.1:1"},
      {"serve", "--listen", "l", "--control", "c"},
  };
  for (const auto& arguments : cases) EXPECT_EQ(RunSockgate(arguments).status, 2);
}

}  // namespace
}  // namespace sockgate::testing
