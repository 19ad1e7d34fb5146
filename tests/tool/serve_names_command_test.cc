// `sockgate serve --policy` as a resolver of names: from the hosts file to a reload.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/support/fake_dns.h"
#include "tests/tool/command.h"
#include "tests/tool/policy_daemon.h"

namespace sockgate::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ServeNamesCommand : public ::testing::Test, protected PolicyDaemon {
 protected:
  // The role may reach one name, which the hosts file leads to this address.
  void WriteAll(const std::string& address) const {
    std::ofstream(hosts_) << address << " db.example\n";
    WritePolicy(absl::StrCat("version = 1\n[resolver]\nservers = [\"127.0.0.1:1\"]\nhosts = \"",
                             hosts_, "\"\n[[listen]]\npath = \"", path(),
                             "\"\nrole = \"fetch\"\n[roles.fetch]\nallow = [{ host = "
                             "\"db.example\", ports = 1, private = true }]\n"));
  }
  // How many lines say so.
  int64_t Resolvers(const std::string& change) const {
    const std::vector<json> lines = Audit();
    return std::count_if(lines.begin(), lines.end(), [&](const json& line) {
      return line.at("event") == "resolver" && line.at("change") == change;
    });
  }

  const TempFolder hosts_folder_;
  const std::string hosts_ = hosts_folder_ / "hosts";
};

TEST_F(ServeNamesCommand, AReloadReadsTheHostsFileAnewAndForgetsWhatItSaid) {
  WriteAll("127.0.0.1");
  ASSERT_TRUE(Start()) << StandardError();
  TestWorker worker = Worker();
  EXPECT_THAT(worker.Ask(Resolve("db.example")).addresses(), ElementsAre("127.0.0.1"));
  EXPECT_EQ(worker.Ask(ConnectTo("127.0.0.2", 1)).result().outcome, Outcome::kDenied);
  WriteAll("127.0.0.2");
  const CommandResult reload = RunSockgate({"reload", "--control", control()});
  EXPECT_EQ(reload.status, 0) << reload.err;
  EXPECT_THAT(worker.Ask(Resolve("db.example")).addresses(), ElementsAre("127.0.0.2"));
  EXPECT_EQ(worker.Ask(ConnectTo("127.0.0.2", 1)).result().error, uint32_t{ECONNREFUSED});
}

TEST_F(ServeNamesCommand, ALookupThatWaitsIsJudgedByThePolicyThatIsInForceThen) {
  const FakeDns silent;  // bound, but never started
  const auto policy = [&](const char* rules) {
    return absl::StrCat("version = 1\n[resolver]\nservers = [\"127.0.0.1:", silent.port(),
                        "\"]\n[[listen]]\npath = \"", path(),
                        "\"\nrole = \"fetch\"\n[roles.fetch]\n", rules);
  };
  WritePolicy(policy("allow = [{ public = true, ports = 80 }]\n"));
  ASSERT_TRUE(Start()) << StandardError();
  TestWorker worker = Worker();
  worker.Send(Resolve("slow.example"));
  ASSERT_TRUE(Await([](const json& status) { return status["resolver"]["questions"] == 1; }));
  WritePolicy(
      policy("allow = [{ public = true, ports = 80 }]\n"
             "deny = [{ host = \"slow.example\" }]\n"));
  EXPECT_EQ(RunSockgate({"reload", "--control", control()}).status, 0);
  EXPECT_EQ(worker.Receive().result().reason, Reason::kDenyRule);
  EXPECT_EQ(Stop(), 0);
  uint64_t in_force = 1;
  std::vector<std::string> verdicts;
  for (const json& line : Audit()) {
    if (line.at("event") == "policy") in_force = line.at("policy");
    if (line.at("event") != "lookup") continue;
    EXPECT_EQ(line.at("policy"), in_force);
    verdicts.push_back(line.at("verdict"));
  }
  EXPECT_THAT(verdicts, ElementsAre("allow", "deny"));
}

TEST_F(ServeNamesCommand, StatusAndLogTellOfTheResolver) {
  WriteAll("127.0.0.1");
  ASSERT_TRUE(Start()) << StandardError();
  EXPECT_TRUE(Await([](const json& status) { return status["resolver"]["state"] == "ready"; }));
  EXPECT_EQ(Status()["resolver"]["questions"], 0);
  EXPECT_THAT(RunSockgate({"status", "--control", control()}).out,
              HasSubstr("\nresolver: ready, 0 questions under way\n"));
  EXPECT_EQ(Stop(), 0);
  EXPECT_EQ(Resolvers("ready"), 1);
  EXPECT_EQ(Resolvers("killed"), 0);
}

}  // namespace
}  // namespace sockgate::testing
