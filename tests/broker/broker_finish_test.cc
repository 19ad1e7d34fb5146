// Broker::FinishUp(): what was begun comes to its end, and nothing new is begun.

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/broker/replace_world.h"
#include "tests/broker/temp_folder.h"
#include "tests/support/loopback_tcp.h"

namespace sockgate {
namespace {

using testing::ConnectTo;
using testing::FullListener;
using testing::ReplaceWorld;
using testing::RoleThatAllows;
using testing::TestWorker;

constexpr std::chrono::seconds kLong(60);

class BrokerFinishTest : public ::testing::TestWithParam<uint32_t>, protected ReplaceWorld {
 protected:
  BrokerFinishTest()
      : ReplaceWorld({RoleThatAllows("fetch", {"127.0.0.0/8:*"})}, GetParam()),
        full_(*FullListener::Fill()) {
    EXPECT_TRUE(broker().Listen({path_, "fetch"}).ok());
    StartRunning();
  }

  // A handshake that ends by its deadline alone.
  void Begin(TestWorker* worker, uint32_t deadline_ms) {
    ConnectRequest request = ConnectTo("127.0.0.1", full_.port());
    request.deadline_ms = deadline_ms;
    worker->Send(request);
    for (int i = 0; i < 1000 && Pending() == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_EQ(Pending(), 1U);
  }

  size_t Pending() { return broker().GetStatus()->roles.at("fetch").pending; }

  void AwaitStopping() {
    for (int i = 0; i < 1000 && !broker().GetStatus()->stopping; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_TRUE(broker().GetStatus()->stopping);
  }

  const testing::TempFolder folder_;
  const std::string path_ = folder_ / "broker";
  FullListener full_;
};

TEST_P(BrokerFinishTest, WithNothingUnderWayItEndsAtOnce) {
  TestWorker worker = AddGreetedWorker("fetch");
  broker().FinishUp(kLong);
  Join();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_P(BrokerFinishTest, WhatWasBegunIsAnsweredAndNothingElse) {
  TestWorker worker = AddGreetedWorker("fetch");
  Begin(&worker, 1000);
  broker().FinishUp(kLong);
  AwaitStopping();
  EXPECT_FALSE(std::filesystem::exists(path_)) << "another broker may have it";
  const Result result = worker.Ask(ConnectTo("127.0.0.1", 1)).result();
  EXPECT_EQ(result.outcome, Outcome::kLimited);
  EXPECT_EQ(result.reason, Reason::kStopping);
  EXPECT_GT(result.retry_after_ms, 0U);
  EXPECT_EQ(broker().Replace({RoleThatAllows("fetch", {})}, {{path_, "fetch"}}).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(worker.Receive().result().error, static_cast<uint32_t>(ETIMEDOUT));
  Join();
}

TEST_P(BrokerFinishTest, AtTheLatestThen) {
  TestWorker worker = AddGreetedWorker("fetch");
  Begin(&worker, 60'000);
  broker().FinishUp(std::chrono::milliseconds(50));
  Join();
  End();
  EXPECT_TRUE(worker.Closed());
  EXPECT_EQ(Audit("completion").back().at("errno"), ECANCELED);
}

INSTANTIATE_TEST_SUITE_P(Threads, BrokerFinishTest, ::testing::Values(1U, 3U));

}  // namespace
}  // namespace sockgate
