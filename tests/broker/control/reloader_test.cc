#include "broker/control/reloader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "tests/broker/replace_world.h"
#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

using testing::ConnectTo;
using testing::ReplaceWorld;
using testing::RoleThatAllows;
using testing::TestWorker;

// Denies what RoleThatAllows("fetch", {"127.0.0.1:1"}) allows.
constexpr char kGood[] =
    "version = 1\n"
    "[roles.fetch]\n"
    "allow = [{ cidr = \"127.0.0.1\", ports = 2 }]\n";

class ReloaderTest : public ::testing::Test, protected ReplaceWorld {
 protected:
  ReloaderTest() : ReplaceWorld({RoleThatAllows("fetch", {"127.0.0.1:1"})}) { StartRunning(); }

  void Write(const std::string& text) { std::ofstream(path_) << text; }

  bool Allowed(TestWorker* worker) {
    return worker->Ask(ConnectTo("127.0.0.1", 1)).result().outcome != Outcome::kDenied;
  }

  testing::TempFolder folder_;
  const std::string path_ = folder_ / "policy.toml";
  OperatorLog log_{UniqueFd()};
  Reloader reloader_{&broker(), path_, &log_, LoadPolicyFile};
};

TEST_F(ReloaderTest, AGoodFileIsInForceWhenItReturns) {
  TestWorker worker = AddGreetedWorker("fetch");
  EXPECT_TRUE(Allowed(&worker));
  Write(kGood);
  const auto before = reloader_.state().loaded_at;
  const ReloadReport report = reloader_.Reload();
  EXPECT_TRUE(report.loaded);
  EXPECT_EQ(report.generation, 2U);
  EXPECT_FALSE(Allowed(&worker));
  EXPECT_GT(reloader_.state().loaded_at, before);
  EXPECT_FALSE(reloader_.state().last_error.has_value());
}

// Whatever is wrong, the policy of before stays, and everybody is told.
TEST_F(ReloaderTest, ABadFileChangesNothing) {
  TestWorker worker = AddGreetedWorker("fetch");
  for (const std::string& text :
       {std::string(), std::string("version = 1\n"), std::string("version = 2\n"),
        std::string("\0\xff", 2), std::string(kGood) + "alow = []\n",
        std::string(kGood).substr(0, 40)}) {
    Write(text);
    const ReloadReport report = reloader_.Reload();
    EXPECT_FALSE(report.loaded) << text;
    EXPECT_EQ(report.generation, 1U);
    EXPECT_FALSE(report.findings.empty());
    EXPECT_TRUE(Allowed(&worker));
    ASSERT_TRUE(reloader_.state().last_error.has_value());
    EXPECT_EQ(reloader_.state().last_error->findings.size(), report.findings.size());
  }
  std::filesystem::remove(path_);
  EXPECT_FALSE(reloader_.Reload().loaded);
  EXPECT_TRUE(Allowed(&worker));
  End();
  const auto changes = Audit("policy");
  ASSERT_EQ(changes.size(), 7U);
  EXPECT_FALSE(changes[0].contains("by"));
  EXPECT_EQ(changes[0].at("change"), "rejected");
  EXPECT_EQ(changes[0].at("policy"), 1);
  EXPECT_EQ(std::string(changes[0].at("detail")).rfind(path_ + ":1:1: error: ", 0), 0U);
}

TEST_F(ReloaderTest, AGoodFileAfterABadOne) {
  Write("no");
  EXPECT_FALSE(reloader_.Reload().loaded);
  Write(kGood);
  EXPECT_TRUE(reloader_.Reload().loaded);
  EXPECT_FALSE(reloader_.state().last_error.has_value());
}

TEST_F(ReloaderTest, APathThatCannotBeListenedOnIsAnErrorOfTheFile) {
  const std::string taken = folder_ / "taken";
  std::ofstream(taken) << "precious";
  Write(std::string("version = 1\n[[listen]]\npath = \"") + taken +
        "\"\nrole = \"fetch\"\n[roles.fetch]\nallow = [{ cidr = \"127.0.0.1\", ports = 2 }]\n");
  const ReloadReport report = reloader_.Reload();
  EXPECT_FALSE(report.loaded);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_NE(report.findings.back().message.find(taken), std::string::npos);
}

TEST_F(ReloaderTest, ManyAtOnceComeOneAfterTheOther) {
  Write(kGood);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int j = 0; j < 10; ++j) EXPECT_TRUE(reloader_.Reload().loaded);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(broker().generation(), 41U);
}

TEST_F(ReloaderTest, AfterTheBrokersEnd) {
  Write(kGood);
  Stop();
  const ReloadReport report = reloader_.Reload();
  EXPECT_FALSE(report.loaded);
  EXPECT_EQ(report.findings.back().message, "the broker has stopped");
}

// The log gives the first error, however many warnings come before it.
TEST(ReloaderLogTest, TheFirstErrorIsLogged) {
  ReplaceWorld world({RoleThatAllows("fetch", {})});
  OperatorLog log{UniqueFd()};
  Reloader reloader(&world.broker(), "p.toml", &log, [](const std::string&) {
    LoadedPolicy loaded;
    loaded.findings.assign(50, {Finding::Severity::kWarning, 1, 1, "odd", ""});
    loaded.findings.push_back({Finding::Severity::kError, 2, 3, "wrong", "write right"});
    return loaded;
  });
  EXPECT_FALSE(reloader.Reload().loaded);
  world.StartRunning();
  ASSERT_TRUE(world.broker().GetStatus().ok());
  world.AddGreetedWorker("fetch");
  world.End();
  const auto changes = world.Audit("policy");
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].at("detail"), "p.toml:2:3: error: wrong (write right)");
}

}  // namespace
}  // namespace sockgate
