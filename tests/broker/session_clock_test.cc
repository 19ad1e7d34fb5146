// Who sets the clock of the machine, by a second or by years, changes no deadline: all of them are
// by the steady clock, and only the log's times are the other one's.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

#include "tests/broker/lookup_world.h"
#include "tests/support/clock_shift.h"

namespace sockgate {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::ConnectTo;
using testing::LookupWorld;
using testing::Resolve;
using testing::TestWorker;

constexpr hours kYears(24 * 365 * 10);
constexpr milliseconds kDeadline(300);

class SessionClockTest : public ::testing::Test, protected LookupWorld {
 protected:
  void SetUp() override {
    // Rules on hosts, and what a handshake that goes on for ever needs.
    std::vector<Rule> rules = LookupRole().policy.rules();
    rules.push_back(*Rule::Parse(Decision::kAllow, "192.0.2.0/24:*"));
    role.policy = Policy(std::move(rules));
  }
  void TearDown() override { testing::ShiftRealTime(hours(0)); }

  // Ten years away, in both directions.
  const std::chrono::nanoseconds leaps_[2] = {kYears, -kYears};
};

TEST_F(SessionClockTest, TheDeadlineOfAConnect) {
  TestWorker worker = AddGreetedWorker();
  Do([&] { net.UsualAnswers({EINPROGRESS, EALREADY}); });
  for (const auto leap : leaps_) {
    ConnectRequest request = ConnectTo();
    request.deadline_ms = static_cast<uint32_t>(kDeadline.count());
    const auto begun = steady_clock::now();
    worker.Send(request);
    testing::ShiftRealTime(leap);
    const Result result = worker.Receive().result();
    const auto took = steady_clock::now() - begun;
    EXPECT_EQ(result.error, static_cast<uint32_t>(ETIMEDOUT));
    EXPECT_GE(took, kDeadline);
    EXPECT_LT(took, kDeadline + seconds(5));
  }
}

TEST_F(SessionClockTest, ALeaseLivesByTheSteadyClock) {
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "a.example.com", 0, {"9.9.9.9"}, /*ttl_seconds=*/60);
  for (const auto leap : leaps_) {
    testing::ShiftRealTime(leap);
    EXPECT_EQ(worker.Ask(ConnectTo("9.9.9.9")).result().outcome, Outcome::kConnected);
  }
  testing::AdvanceSteadyClock(hours(1));
  EXPECT_EQ(worker.Ask(ConnectTo("9.9.9.9")).result().outcome, Outcome::kDenied);
}

TEST_F(SessionClockTest, WhatIsKnownOfANameIsKeptByTheSteadyClock) {
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "a.example.com", 0, {"9.9.9.9"}, /*ttl_seconds=*/60);
  for (const auto leap : leaps_) {
    testing::ShiftRealTime(leap);
    EXPECT_EQ(worker.Ask(Resolve("a.example.com")).result().outcome, Outcome::kResolved);
  }
  EXPECT_EQ(Questions(), 1U);
  testing::AdvanceSteadyClock(hours(1));
  AskAndFind(&worker, "a.example.com", 1, {"9.9.9.9"});
  EXPECT_EQ(Questions(), 2U);
}

TEST_F(SessionClockTest, ARateIsOfSteadySeconds) {
  role.limits.connects_per_second = 1;
  role.limits.connect_burst = 1;
  TestWorker worker = AddGreetedWorker();
  EXPECT_EQ(worker.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
  for (const auto leap : leaps_) {
    testing::ShiftRealTime(leap);
    EXPECT_EQ(worker.Ask(ConnectTo()).result().reason, Reason::kRate);
  }
  testing::AdvanceSteadyClock(seconds(2));
  EXPECT_EQ(worker.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
}

TEST_F(SessionClockTest, PatienceWithUnreadRepliesIsSteady) {
  role.limits.unread_patience_ms = 5000;
  TestWorker worker = AddGreetedWorker();
  for (int i = 0; i < 40; ++i) worker.Send(ConnectTo("10.0.0.1"));
  TestWorker other = AddGreetedWorker();
  for (const auto leap : leaps_) {
    testing::ShiftRealTime(leap);
    EXPECT_EQ(other.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
  }
  Do([&] { EXPECT_EQ(server->channels(), 2U); });
  testing::AdvanceSteadyClock(seconds(10));
  EXPECT_TRUE(AwaitChannels(1));
}

// Which shows that the leaps of the other tests reached the broker.
TEST_F(SessionClockTest, TheLogHasTheTimeThatTheMachineHas) {
  testing::ShiftRealTime(hours(24 * 365 * 100));
  AddGreetedWorker();
  Do([&] { audit->Flush(); });
  char text[16] = {};
  ASSERT_EQ(pread(log.get(), text, 11, 0), 11);
  EXPECT_EQ(std::string(text), "{\"time\":\"21");
}

}  // namespace
}  // namespace sockgate
