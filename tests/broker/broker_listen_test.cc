// Broker::Replace(): where the broker listens from then on.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/broker/capabilities.h"
#include "tests/broker/replace_world.h"
#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

using testing::ConnectTo;
using testing::ReplaceWorld;
using testing::RoleThatAllows;
using testing::TestWorker;

std::vector<Role> Roles() {
  return {RoleThatAllows("fetch", {"127.0.0.1:1"}), RoleThatAllows("other", {"127.0.0.1:2"})};
}

// Listens on `a_`, and does not run yet: whoever connects waits.
class BrokerListenWaitTest : public ::testing::Test, protected ReplaceWorld {
 protected:
  BrokerListenWaitTest() : ReplaceWorld(Roles()) {
    EXPECT_TRUE(broker().Listen({a_, "fetch"}).ok());
  }

  // Nobody has this owner, and without privileges nobody can have it.
  static ListenAt Impossible(const std::string& path) {
    ListenAt at = {path, "other"};
    at.owner = 0xfffffff0U;
    at.mode = 0666;
    return at;
  }

  static ListenAt Wide(const std::string& path, const std::string& role) {
    ListenAt at = {path, role};
    at.mode = 0666;
    return at;
  }

  static mode_t ModeOf(const std::string& path) {
    struct stat status = {};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  // Which role a worker at the path gets; "" when nobody listens.
  static std::string RoleAt(const std::string& path) {
    if (!std::filesystem::exists(path)) return "";
    TestWorker worker = ConnectToPath(path);
    worker.Greet();
    const bool fetch = worker.Ask(ConnectTo("127.0.0.1", 1)).result().outcome != Outcome::kDenied;
    const bool other = worker.Ask(ConnectTo("127.0.0.1", 2)).result().outcome != Outcome::kDenied;
    if (fetch == other) return fetch ? "both" : "neither";
    return fetch ? "fetch" : "other";
  }

  testing::TempFolder folder_;
  const std::string a_ = folder_ / "a";
  const std::string b_ = folder_ / "b";
};

class BrokerListenTest : public BrokerListenWaitTest {
 protected:
  BrokerListenTest() { StartRunning(); }
};

TEST_F(BrokerListenWaitTest, WhoWaitsDoesNotGetTheNewRole) {
  TestWorker early = ConnectToPath(a_);
  TestWorker second = ConnectToPath(a_);
  ASSERT_TRUE(broker().Replace(Roles(), {{a_, "other"}}).ok());
  TestWorker late = ConnectToPath(a_);
  StartRunning();
  EXPECT_TRUE(early.Closed());
  EXPECT_TRUE(second.Closed());
  late.Greet();
  EXPECT_EQ(late.Ask(ConnectTo("127.0.0.1", 1)).result().outcome, Outcome::kDenied);
  End();
  const auto lines = Audit("channel");
  ASSERT_GE(lines.size(), 2U);
  for (size_t i : {0U, 1U}) {
    EXPECT_EQ(lines[i].at("change"), "refused");
    EXPECT_EQ(lines[i].at("detail"), "reload");
    EXPECT_EQ(lines[i].at("role"), "fetch");
  }
}

TEST_F(BrokerListenWaitTest, WhoWaitsIsTurnedAwayWhereTheModeChanges) {
  ASSERT_TRUE(broker().Replace(Roles(), {Wide(a_, "fetch")}).ok());
  TestWorker early = ConnectToPath(a_);
  ASSERT_TRUE(broker().Replace(Roles(), {{a_, "fetch"}}).ok());
  StartRunning();
  EXPECT_TRUE(early.Closed());
  EXPECT_EQ(RoleAt(a_), "fetch");
}

TEST_F(BrokerListenWaitTest, WhoWaitsWaitsOnWhereNothingChanges) {
  TestWorker early = ConnectToPath(a_);
  ASSERT_TRUE(broker().Replace(Roles(), {{a_, "fetch"}, {b_, "other"}}).ok());
  StartRunning();
  early.Greet();
}

// The path was wide open until the change was undone.
TEST_F(BrokerListenWaitTest, WhoWaitsIsTurnedAwayWhereAChangeWasUndone) {
  ASSERT_TRUE(broker().Replace(Roles(), {{a_, "fetch"}, {b_, "fetch"}}).ok());
  TestWorker early = ConnectToPath(a_);
  absl::Status status;
  std::thread unprivileged([&] {
    testing::DropAllCapabilities();
    status = broker().Replace(Roles(), {Wide(a_, "fetch"), Impossible(b_)});
  });
  unprivileged.join();
  EXPECT_FALSE(status.ok());
  StartRunning();
  EXPECT_TRUE(early.Closed());
  EXPECT_EQ(ModeOf(a_), 0600U);
  EXPECT_EQ(RoleAt(a_), "fetch");
}

TEST_F(BrokerListenTest, APathMore) {
  ASSERT_TRUE(broker().Replace(Roles(), {{a_, "fetch"}, {b_, "other"}}).ok());
  EXPECT_EQ(RoleAt(a_), "fetch");
  EXPECT_EQ(RoleAt(b_), "other");
  const auto status = broker().GetStatus();
  ASSERT_TRUE(status.ok());
  ASSERT_EQ(status->listen.size(), 2U);
  EXPECT_EQ(status->listen[1].path, b_);
  EXPECT_EQ(status->listen[1].role, "other");
}

TEST_F(BrokerListenTest, APathLessIsUnlinkedAndItsWorkersStay) {
  TestWorker worker = ConnectToPath(a_);
  worker.Greet();
  ASSERT_TRUE(broker().Replace(Roles(), {{b_, "other"}}).ok());
  EXPECT_FALSE(std::filesystem::exists(a_));
  EXPECT_EQ(RoleAt(b_), "other");
  EXPECT_EQ(worker.Ask(ConnectTo("192.0.2.1")).result().outcome, Outcome::kDenied);
}

TEST_F(BrokerListenTest, AnotherRoleForWhoConnectsNext) {
  TestWorker early = ConnectToPath(a_);
  early.Greet();
  ASSERT_TRUE(broker().Replace(Roles(), {{a_, "other"}}).ok());
  EXPECT_EQ(RoleAt(a_), "other");
  EXPECT_EQ(early.Ask(ConnectTo("127.0.0.1", 2)).result().outcome, Outcome::kDenied)
      << "a worker keeps its role";
}

TEST_F(BrokerListenTest, ARoleOfTheSameNameIsTheNewOneForWhoConnectsNext) {
  ASSERT_TRUE(
      broker()
          .Replace({RoleThatAllows("fetch", {}), RoleThatAllows("other", {})}, {{a_, "fetch"}})
          .ok());
  TestWorker worker = ConnectToPath(a_);
  worker.Greet();
  EXPECT_EQ(worker.Ask(ConnectTo("127.0.0.1", 1)).result().outcome, Outcome::kDenied);
}

TEST_F(BrokerListenTest, AnotherModeAndBack) {
  ListenAt wide = {a_, "fetch"};
  wide.mode = 0666;
  ASSERT_TRUE(broker().Replace(Roles(), {wide}).ok());
  EXPECT_EQ(ModeOf(a_), 0666U);
  ASSERT_TRUE(broker().Replace(Roles(), {{a_, "fetch"}}).ok());
  EXPECT_EQ(ModeOf(a_), 0600U);
}

TEST_F(BrokerListenTest, AnotherOwnerAndBack) {
  if (geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  ListenAt given = {a_, "fetch"};
  given.owner = 61234;
  given.group = 61235;
  if (!broker().Replace(Roles(), {given}).ok()) GTEST_SKIP() << "no such user here";
  struct stat status = {};
  ASSERT_EQ(stat(a_.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 61234U);
  EXPECT_EQ(status.st_gid, 61235U);
  ASSERT_TRUE(broker().Replace(Roles(), {{a_, "fetch"}}).ok());
  ASSERT_EQ(stat(a_.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, geteuid());
}

TEST_F(BrokerListenTest, OnePathThatCannotBeBoundAndNothingChanges) {
  std::ofstream(b_) << "precious";
  ListenAt wide = {a_, "other"};
  wide.mode = 0666;
  const absl::Status status = broker().Replace({RoleThatAllows("other", {"127.0.0.1:2"})},
                                               {wide, {folder_ / "c", "other"}, {b_, "other"}});
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(b_), absl::string_view::npos) << status;
  EXPECT_EQ(broker().generation(), 1U);
  EXPECT_EQ(RoleAt(a_), "fetch");
  EXPECT_EQ(ModeOf(a_), 0600U);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "c"));
  EXPECT_EQ(std::filesystem::file_size(b_), 8U);
}

// Even after new paths are bound, and others were changed.
TEST_F(BrokerListenWaitTest, AnOwnerThatCannotBeGivenAndNothingChanges) {
  StartRunning(testing::DropAllCapabilities);
  // It is answered, so the loop runs; before that Replace() would be done in this thread, which has
  // its capabilities.
  const TestWorker greeted = AddGreetedWorker("fetch");
  ASSERT_TRUE(broker().Replace(Roles(), {{a_, "fetch"}, {b_, "fetch"}}).ok());
  EXPECT_FALSE(broker()
                   .Replace(Roles(), {Wide(a_, "other"), Impossible(b_), {folder_ / "c", "fetch"}})
                   .ok());
  EXPECT_EQ(RoleAt(a_), "fetch");
  EXPECT_EQ(RoleAt(b_), "fetch");
  EXPECT_EQ(ModeOf(a_), 0600U);
  EXPECT_EQ(ModeOf(b_), 0600U);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "c"));
}

TEST_F(BrokerListenTest, APathThatWasRemovedIsBoundAnew) {
  ASSERT_EQ(unlink(a_.c_str()), 0);
  ASSERT_TRUE(broker().Replace(Roles(), {{a_, "fetch"}}).ok());
  EXPECT_EQ(RoleAt(a_), "fetch");
  ASSERT_EQ(unlink(a_.c_str()), 0);
  ASSERT_TRUE(broker().Replace(Roles(), {Wide(a_, "other")}).ok());
  EXPECT_EQ(RoleAt(a_), "other");
  EXPECT_EQ(ModeOf(a_), 0666U);
}

TEST_F(BrokerListenTest, APathThatWasRemovedStaysSoWhenAnotherCannotBeBound) {
  ASSERT_EQ(unlink(a_.c_str()), 0);
  std::ofstream(b_) << "precious";
  EXPECT_FALSE(broker().Replace(Roles(), {{a_, "fetch"}, {b_, "other"}}).ok());
  EXPECT_FALSE(std::filesystem::exists(a_));
  ASSERT_TRUE(broker().Replace(Roles(), {{a_, "fetch"}}).ok());
  EXPECT_EQ(RoleAt(a_), "fetch");
}

TEST_F(BrokerListenTest, APathThatIsAnothersByNowIsAnError) {
  ASSERT_EQ(unlink(a_.c_str()), 0);
  std::ofstream(a_) << "precious";
  const absl::Status status = broker().Replace(Roles(), {{a_, "fetch"}});
  EXPECT_NE(status.message().find(a_), absl::string_view::npos) << status;
  EXPECT_EQ(broker().generation(), 1U);
  EXPECT_EQ(std::filesystem::file_size(a_), 8U);
}

// Who came by the path is asked again; who has a launcher is not.
TEST_F(BrokerListenTest, AWorkerWhoseUserTheRoleNoLongerNamesIsShutOutAndGetsItBack) {
  const auto outcome = [](TestWorker* worker) {
    return worker->Ask(ConnectTo("127.0.0.1", 1)).result();
  };
  TestWorker worker = ConnectToPath(a_);
  worker.Greet();
  TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
  TestWorker launched = AddGreetedWorker("fetch");
  std::vector<Role> for_others = Roles();
  for_others[0].peers.uids = {geteuid() + 1};
  // Twice, since the log shall say it once.
  ASSERT_TRUE(broker().Replace(for_others, {{a_, "fetch"}}).ok());
  ASSERT_TRUE(broker().Replace(for_others, {{a_, "fetch"}}).ok());
  EXPECT_EQ(outcome(&worker).reason, Reason::kRoleRemoved);
  EXPECT_EQ(outcome(&minted).reason, Reason::kRoleRemoved);
  EXPECT_NE(outcome(&launched).outcome, Outcome::kDenied);
  std::vector<Role> for_us = for_others;
  for_us[0].peers.gids = {getegid()};
  ASSERT_TRUE(broker().Replace(for_us, {{a_, "fetch"}}).ok());
  EXPECT_NE(outcome(&worker).outcome, Outcome::kDenied);
  EXPECT_NE(outcome(&minted).outcome, Outcome::kDenied);
  End();
  int told = 0;
  for (const auto& line : Audit("channel")) {
    if (line.at("change") == "refused" && line.at("detail") == "peer") ++told;
  }
  EXPECT_EQ(told, 1);
}

// Its process was not noted when it came, so it cannot be looked at any more.
TEST_F(BrokerListenTest, AWorkerFromBeforeMustComeAgainWhereConfinementIsAsked) {
  TestWorker worker = ConnectToPath(a_);
  worker.Greet();
  std::vector<Role> asking = Roles();
  asking[0].require_confined = true;
  ASSERT_TRUE(broker().Replace(asking, {{a_, "fetch"}}).ok());
  EXPECT_EQ(worker.Ask(ConnectTo("127.0.0.1", 1)).result().reason, Reason::kNotConfined);
  ASSERT_TRUE(broker().Replace(Roles(), {{a_, "fetch"}}).ok());
  EXPECT_NE(worker.Ask(ConnectTo("127.0.0.1", 1)).result().outcome, Outcome::kDenied);
}

TEST_F(BrokerListenTest, AllPathsGoWithTheBroker) {
  ASSERT_TRUE(broker().Replace(Roles(), {}).ok());
  EXPECT_FALSE(std::filesystem::exists(a_));
}

}  // namespace
}  // namespace sockgate
