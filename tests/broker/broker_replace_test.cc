// Broker::Replace(): what workers see of another policy.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/broker/replace_world.h"
#include "tests/support/loopback_tcp.h"

namespace sockgate {
namespace {

using nlohmann::json;
using testing::ConnectTo;
using testing::ReplaceWorld;
using testing::RoleThatAllows;
using testing::TestWorker;

std::vector<Role> Allowing() {
  return {RoleThatAllows("fetch", {"127.0.0.1:*"}), RoleThatAllows("other", {})};
}
std::vector<Role> Denying() {
  return {RoleThatAllows("fetch", {"127.0.0.2:*"}), RoleThatAllows("other", {})};
}
std::vector<Role> OnlyOther() { return {RoleThatAllows("other", {"127.0.0.1:*"})}; }

class BrokerReplaceTest : public ::testing::Test, protected ReplaceWorld {
 protected:
  BrokerReplaceTest() : ReplaceWorld(Allowing()) {}

  Result Ask(TestWorker* worker) {
    return worker->Ask(ConnectTo("127.0.0.1", target_.port())).result();
  }

  const testing::SilentListener target_ = *testing::SilentListener::Listen();
};

TEST_F(BrokerReplaceTest, HoldsForTheNextRequestOfAChannelThatExists) {
  StartRunning();
  TestWorker worker = AddGreetedWorker("fetch");
  TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
  EXPECT_EQ(Ask(&worker).outcome, Outcome::kConnected);
  EXPECT_EQ(Ask(&minted).outcome, Outcome::kConnected);
  ASSERT_TRUE(broker().Replace(Denying(), {}).ok());
  EXPECT_EQ(Ask(&worker).reason, Reason::kNoRuleMatches);
  EXPECT_EQ(Ask(&minted).reason, Reason::kNoRuleMatches);
  ASSERT_TRUE(broker().Replace(Allowing(), {}).ok());
  EXPECT_EQ(Ask(&worker).outcome, Outcome::kConnected);
  EXPECT_EQ(Ask(&minted).outcome, Outcome::kConnected);
}

TEST_F(BrokerReplaceTest, AWorkerWhoseRoleIsGoneIsToldSoAndGetsItBack) {
  StartRunning();
  TestWorker worker = AddGreetedWorker("fetch");
  ASSERT_TRUE(broker().Replace(OnlyOther(), {}).ok());
  // Twice, since a role may be gone for long.
  ASSERT_TRUE(broker().Replace(OnlyOther(), {}).ok());
  EXPECT_EQ(Ask(&worker).reason, Reason::kRoleRemoved);
  TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
  EXPECT_EQ(Ask(&minted).reason, Reason::kRoleRemoved);
  EXPECT_TRUE(absl::IsNotFound(broker().AddWorker("fetch").status()));
  ASSERT_TRUE(broker().Replace(Allowing(), {}).ok());
  EXPECT_EQ(Ask(&worker).outcome, Outcome::kConnected);
  EXPECT_EQ(Ask(&minted).outcome, Outcome::kConnected);
}

TEST_F(BrokerReplaceTest, BeforeTheBrokerRuns) {
  TestWorker worker(*broker().AddWorker("fetch"));
  TestWorker of_no_role(*broker().AddWorker("other"));
  ASSERT_TRUE(broker().Replace({RoleThatAllows("fetch", {})}, {}).ok());
  EXPECT_EQ(broker().generation(), 2U);
  StartRunning();
  worker.Greet();
  EXPECT_EQ(Ask(&worker).reason, Reason::kNoRuleMatches);
  of_no_role.Greet();
  EXPECT_EQ(Ask(&of_no_role).reason, Reason::kRoleRemoved);
}

TEST_F(BrokerReplaceTest, WhatCreateRefusesIsRefusedAndChangesNothing) {
  StartRunning();
  TestWorker worker = AddGreetedWorker("fetch");
  EXPECT_EQ(broker().Replace({}, {}).message(), "a broker needs a role");
  EXPECT_EQ(broker().Replace({RoleThatAllows("a", {}), RoleThatAllows("a", {})}, {}).message(),
            "two roles are named a");
  EXPECT_EQ(broker().Replace(Denying(), {{"/tmp/x", "nobody"}}).message(),
            "no role is named nobody");
  EXPECT_EQ(broker().Replace(Denying(), {{"/tmp/x", "fetch"}, {"/tmp/x", "other"}}).message(),
            "two listeners are at /tmp/x");
  EXPECT_EQ(broker().generation(), 1U);
  EXPECT_EQ(Ask(&worker).outcome, Outcome::kConnected);
}

TEST_F(BrokerReplaceTest, TheLogSaysWhichPolicyJudged) {
  StartRunning();
  TestWorker worker = AddGreetedWorker("fetch");
  Ask(&worker);
  ASSERT_TRUE(broker().Replace(Denying(), {}).ok());
  Ask(&worker);
  broker().NoteRejected("p.toml:1:1: error: no");
  Ask(&worker);
  End();
  const auto decisions = Audit("decision");
  ASSERT_EQ(decisions.size(), 3U);
  EXPECT_EQ(decisions[0].at("policy"), 1);
  EXPECT_EQ(decisions[0].at("verdict"), "allow");
  EXPECT_EQ(decisions[1].at("policy"), 2);
  EXPECT_EQ(decisions[1].at("verdict"), "deny");
  EXPECT_EQ(decisions[2].at("policy"), 2);
  const auto changes = Audit("policy");
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].at("change"), "loaded");
  EXPECT_EQ(changes[0].at("policy"), 2);
  EXPECT_EQ(changes[0].at("detail"), "roles: 2, listeners: 0");
  EXPECT_EQ(changes[1].at("change"), "rejected");
  EXPECT_EQ(changes[1].at("policy"), 2);
  EXPECT_EQ(changes[1].at("detail"), "p.toml:1:1: error: no");
}

TEST_F(BrokerReplaceTest, StatusSaysWhoIsServedByWhat) {
  StartRunning();
  TestWorker worker = AddGreetedWorker("fetch");
  const TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
  const TestWorker second = AddGreetedWorker("fetch");
  ASSERT_TRUE(broker().Replace(OnlyOther(), {}).ok());
  const auto status = broker().GetStatus();
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->generation, 2U);
  ASSERT_EQ(status->roles.size(), 2U);
  const BrokerStatus::Role& fetch = status->roles.at("fetch");
  EXPECT_TRUE(fetch.removed);
  EXPECT_EQ(fetch.workers, 2U);
  EXPECT_EQ(fetch.channels, 3U);
  const BrokerStatus::Role& other = status->roles.at("other");
  EXPECT_FALSE(other.removed);
  EXPECT_EQ(other.rules, 1U);
  EXPECT_EQ(other.workers, 0U);
}

TEST_F(BrokerReplaceTest, TheEndOfTheBrokerReleasesWhoWaits) {
  StartRunning();
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([this] {
      absl::Status status;
      while (status.ok()) status = broker().Replace(Allowing(), {});
      EXPECT_TRUE(absl::IsUnavailable(status));
    });
  }
  while (broker().generation() < 20) std::this_thread::yield();
  Stop();
  for (std::thread& caller : callers) caller.join();
  EXPECT_TRUE(absl::IsUnavailable(broker().GetStatus().status()));
}

// Two policies that differ in everything: a half of each would let both ports through, or none.
TEST_F(BrokerReplaceTest, NoRequestSeesHalfAPolicy) {
  const auto role = [](const char* allowed) {
    return std::vector<Role>{RoleThatAllows("fetch", {allowed}), RoleThatAllows("other", {})};
  };
  StartRunning();
  std::atomic<bool> over = false;
  std::thread reloader([&] {
    for (int i = 0; !over; ++i) {
      EXPECT_TRUE(broker().Replace(role(i % 2 == 0 ? "127.0.0.1:1" : "127.0.0.1:2"), {}).ok());
    }
  });
  TestWorker worker = AddGreetedWorker("fetch");
  for (uint16_t i = 0; i < 2000; ++i) {
    const auto port = static_cast<uint16_t>(1 + i % 2);
    EXPECT_NE(worker.Ask(ConnectTo("127.0.0.1", port)).result().outcome, Outcome::kLimited);
  }
  over = true;
  reloader.join();
  End();
  int judged = 0;
  for (const json& line : Audit("decision")) {
    const int64_t policy = line.at("policy");
    const bool to_first = line.at("target") == "127.0.0.1:1";
    // The first one allows all of 127.0.0.1.
    const bool allowed = policy == 1 || to_first == (policy % 2 == 0);
    EXPECT_EQ(line.at("verdict"), allowed ? "allow" : "deny") << line;
    ++judged;
  }
  EXPECT_EQ(judged, 2000);
}

}  // namespace
}  // namespace sockgate
