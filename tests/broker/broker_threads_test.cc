// A broker with several event loops is one broker.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "tests/broker/replace_world.h"
#include "tests/broker/temp_folder.h"
#include "tests/support/loopback_tcp.h"

namespace sockgate {
namespace {

using testing::ConnectTo;
using testing::ReplaceWorld;
using testing::RoleThatAllows;
using testing::TestWorker;

constexpr uint32_t kThreads = 3;

class BrokerThreadsTest : public ::testing::Test, protected ReplaceWorld {
 protected:
  BrokerThreadsTest() : ReplaceWorld({RoleThatAllows("fetch", {"127.0.0.1:1"})}, kThreads) {}

  // As many workers as there are threads, or some times as many.
  std::vector<TestWorker> AddWorkers(size_t count) {
    std::vector<TestWorker> workers;
    for (size_t i = 0; i < count; ++i) workers.push_back(AddGreetedWorker("fetch"));
    return workers;
  }

  static Outcome Ask(TestWorker* worker, uint16_t port) {
    return worker->Ask(ConnectTo("127.0.0.1", port)).result().outcome;
  }
};

TEST_F(BrokerThreadsTest, EachThreadHasItsShareOfTheWorkers) {
  StartRunning();
  std::vector<TestWorker> workers = AddWorkers(size_t{4} * kThreads);
  for (TestWorker& worker : workers) {
    TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
    EXPECT_EQ(Ask(&minted, 2), Outcome::kDenied);
  }
  const auto status = broker().GetStatus();
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->threads, kThreads);
  EXPECT_EQ(status->roles.at("fetch").workers, size_t{4} * kThreads);
  EXPECT_EQ(status->roles.at("fetch").metrics.connects.denied, size_t{4} * kThreads);
  End();
  std::map<uint64_t, int> of_thread;
  std::set<uint64_t> channels;
  for (const auto& line : Audit("channel")) {
    if (line.at("change") != "opened") continue;
    EXPECT_TRUE(channels.insert(line.at("channel").get<uint64_t>()).second)
        << "no number is given out twice";
    ++of_thread[line.at("worker").get<uint64_t>() % kThreads];
  }
  ASSERT_EQ(of_thread.size(), kThreads);
  for (const auto& [thread, count] : of_thread) EXPECT_EQ(count, 8) << thread;
}

TEST_F(BrokerThreadsTest, AReloadIsForAll) {
  StartRunning();
  std::vector<TestWorker> workers = AddWorkers(kThreads);
  for (TestWorker& worker : workers) EXPECT_EQ(Ask(&worker, 2), Outcome::kDenied);
  ASSERT_TRUE(broker().Replace({RoleThatAllows("fetch", {"127.0.0.1:2"})}, {}).ok());
  for (TestWorker& worker : workers) EXPECT_NE(Ask(&worker, 2), Outcome::kDenied);
  ASSERT_TRUE(broker().Replace({RoleThatAllows("other", {"127.0.0.1:2"})}, {}).ok());
  for (TestWorker& worker : workers) {
    EXPECT_EQ(worker.Ask(ConnectTo("127.0.0.1", 2)).result().reason, Reason::kRoleRemoved);
  }
  End();
  EXPECT_EQ(Audit("policy").size(), 2U) << "told once each";
  std::map<uint64_t, int> by_policy;
  for (const auto& line : Audit("decision")) ++by_policy[line.at("policy").get<uint64_t>()];
  EXPECT_EQ(by_policy, (std::map<uint64_t, int>{{1, 3}, {2, 3}, {3, 3}}));
}

TEST_F(BrokerThreadsTest, APathLeadsToAllThreads) {
  const testing::TempFolder folder;
  const std::string path = folder / "broker";
  ASSERT_TRUE(broker().Listen({path, "fetch"}).ok());
  StartRunning();
  std::vector<TestWorker> workers;
  for (uint32_t i = 0; i < 2 * kThreads; ++i) {
    workers.push_back(ConnectToPath(path));
    workers.back().Greet();
    EXPECT_EQ(Ask(&workers.back(), 2), Outcome::kDenied);
  }
  End();
  std::map<uint64_t, int> of_thread;
  for (const auto& line : Audit("decision")) {
    ++of_thread[line.at("worker").get<uint64_t>() % kThreads];
  }
  EXPECT_EQ(of_thread, (std::map<uint64_t, int>{{0, 2}, {1, 2}, {2, 2}}));
}

TEST_F(BrokerThreadsTest, WhatARoleMayHaveHoldsOverAllThreads) {
  StartRunning();
  Role role = RoleThatAllows("fetch", {"127.0.0.1:1"});
  role.totals.max_workers = kThreads;
  ASSERT_TRUE(broker().Replace({role}, {}).ok());
  std::vector<TestWorker> workers = AddWorkers(kThreads);
  TestWorker one_more(*broker().AddWorker("fetch"));
  EXPECT_TRUE(one_more.Closed());
}

TEST_F(BrokerThreadsTest, StopEndsThemAll) {
  StartRunning();
  std::vector<TestWorker> workers = AddWorkers(kThreads);
  Stop();
  EXPECT_FALSE(broker().GetStatus().ok());
  End();
  for (TestWorker& worker : workers) EXPECT_TRUE(worker.Closed());
}

TEST(BrokerThreadsOptionTest, OneAtTheLeast) {
  BrokerOptions options;
  options.roles = {RoleThatAllows("fetch", {"127.0.0.1:1"})};
  options.threads = 0;
  EXPECT_EQ(Broker::Create(std::move(options)).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace sockgate
