// What the workers of one role may have together, and all workers of a broker.

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "broker/session.h"
#include "tests/broker/lookup_world.h"
#include "tests/broker/server_world.h"

namespace sockgate {
namespace {

using testing::ConnectTo;
using testing::ExpectLimited;
using testing::LookupWorld;
using testing::Resolve;
using testing::ServerWorld;
using testing::TestWorker;

constexpr ConnectMode kInProgress = ConnectMode::kInProgress;

class SessionTotalsTest : public ::testing::Test, protected ServerWorld {
 protected:
  RoleSnapshot OtherRole() {
    auto other = std::make_shared<Role>(TestRole());
    other->name = "other";
    return other;
  }
};

TEST_F(SessionTotalsTest, Workers) {
  role.totals.max_workers = 2;
  TestWorker first = AddGreetedWorker();
  TestWorker second = AddGreetedWorker();
  TestWorker third = AddWorker();
  EXPECT_TRUE(third.Closed());
  EXPECT_EQ(AuditDetail("refused"), "role-at-its-limit");
  EXPECT_EQ(AddGreetedWorkerOf(OtherRole()).Ask(ConnectTo("192.0.2.66")).result().outcome,
            Outcome::kDenied)
      << "another role has its own";
  first.Close();
  ASSERT_TRUE(AwaitChannels(1));
  AddGreetedWorker();
}

TEST_F(SessionTotalsTest, Channels) {
  role.totals.max_channels = 3;
  TestWorker first = AddGreetedWorker();
  TestWorker second = AddGreetedWorker();
  TestWorker minted(first.Ask(OpenChannelRequest()).descriptor);
  ExpectLimited(second.Ask(OpenChannelRequest()).result(), Reason::kRoleLimit);
  EXPECT_EQ(AuditDetail("not-opened"), "role-at-its-limit");
  minted.Close();
  ASSERT_TRUE(AwaitChannels(2));
  EXPECT_EQ(second.Ask(OpenChannelRequest()).result().outcome, Outcome::kOpened);
}

TEST_F(SessionTotalsTest, Handshakes) {
  role.totals.max_pending = 2;
  TestWorker first = AddGreetedWorker();
  TestWorker second = AddGreetedWorker();
  first.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  second.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  ExpectLimited(second.Ask(ConnectTo("192.0.2.1", 443, kInProgress)).result(), Reason::kRoleLimit);
  EXPECT_EQ(Audit("completion").back().at("reason"), "role-at-its-limit");
  Do([&] { net.Finish(0); });
  ASSERT_TRUE(Until([&] { return usage.OfRole("test")->pending == 1; }));
  EXPECT_EQ(second.Ask(ConnectTo("192.0.2.1", 443, kInProgress)).result().outcome,
            Outcome::kStarted);
}

TEST_F(SessionTotalsTest, ConnectsInASecond) {
  role.totals.connects_per_second = 1;
  role.totals.connect_burst = 2;
  Do([&] { net.UsualAnswers({0}); });
  TestWorker first = AddGreetedWorker();
  TestWorker second = AddGreetedWorker();
  EXPECT_EQ(first.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
  EXPECT_EQ(second.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
  const Result result = first.Ask(ConnectTo()).result();
  ExpectLimited(result, Reason::kRoleLimit);
  EXPECT_LE(result.retry_after_ms, 1000U);
  EXPECT_EQ(result.rule, 1U) << "it was decided";
}

TEST_F(SessionTotalsTest, TrackedConnections) {
  role.track = true;
  role.totals.max_connections = 1;
  Do([&] { net.UsualAnswers({0}); });
  TestWorker first = AddGreetedWorker();
  TestWorker second = AddGreetedWorker();
  EXPECT_EQ(first.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
  ExpectLimited(second.Ask(ConnectTo()).result(), Reason::kRoleLimit);
  first.Close();
  ASSERT_TRUE(Until([&] { return usage.OfRole("test")->connections == 0; }));
  EXPECT_EQ(second.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
}

// They keep descriptors of the broker's as channels do.
TEST_F(SessionTotalsTest, TrackedConnectionsOfTheBroker) {
  role.track = true;
  usage.SetLimits({3, 0});
  Do([&] { net.UsualAnswers({0}); });
  TestWorker first = AddGreetedWorker();
  TestWorker second = AddGreetedWorkerOf(OtherRole());
  EXPECT_EQ(first.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
  ExpectLimited(first.Ask(ConnectTo()).result(), Reason::kDescriptors);
  EXPECT_EQ(second.Ask(ConnectTo()).result().outcome, Outcome::kConnected)
      << "whose role keeps none";
}

TEST_F(SessionTotalsTest, ChannelsOfTheBroker) {
  usage.SetLimits({2, 0});
  TestWorker first = AddGreetedWorker();
  TestWorker second = AddGreetedWorkerOf(OtherRole());
  ExpectLimited(first.Ask(OpenChannelRequest()).result(), Reason::kDescriptors);
  TestWorker third = AddWorker();
  EXPECT_TRUE(third.Closed());
  EXPECT_EQ(AuditDetail("refused"), "broker-out-of-descriptors");
  second.Close();
  ASSERT_TRUE(AwaitChannels(1));
  EXPECT_EQ(first.Ask(OpenChannelRequest()).result().outcome, Outcome::kOpened);
}

TEST_F(SessionTotalsTest, WhatWasCountedIsGivenBack) {
  {
    TestWorker worker = AddGreetedWorker();
    TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
    worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
    minted.Send(ConnectTo());
    ASSERT_TRUE(AwaitLines(2));
  }
  ASSERT_TRUE(AwaitChannels(0));
  const RoleUsage* of_role = usage.OfRole("test");
  EXPECT_EQ(of_role->workers, 0U);
  EXPECT_EQ(of_role->channels, 0U);
  EXPECT_EQ(of_role->pending, 0U);
  EXPECT_EQ(usage.kept_descriptors(), 0U);
}

class LookupTotalsTest : public ::testing::Test, protected LookupWorld {};

TEST_F(LookupTotalsTest, LookupsThatWait) {
  role.totals.max_lookups = 1;
  TestWorker first = AddGreetedWorker();
  TestWorker second = AddGreetedWorker();
  first.Send(Resolve("a.example.com"));
  ASSERT_TRUE(AwaitQuestions(1));
  ExpectLimited(second.Ask(Resolve("b.example.com")).result(), Reason::kRoleLimit);
  Do([&] { names.Found(0, {"9.9.9.9"}); });
  EXPECT_EQ(first.Receive().result().outcome, Outcome::kResolved);
  EXPECT_EQ(usage.OfRole("test")->lookups, 0U);
  EXPECT_EQ(second.Ask(Resolve("a.example.com")).result().outcome, Outcome::kResolved)
      << "what is known is no lookup";
}

TEST_F(LookupTotalsTest, LookupsInASecond) {
  role.totals.lookups_per_second = 1;
  role.totals.lookup_burst = 1;
  TestWorker first = AddGreetedWorker();
  TestWorker second = AddGreetedWorker();
  AskAndFind(&first, "a.example.com", 0, {"9.9.9.9"});
  ExpectLimited(second.Ask(Resolve("b.example.com")).result(), Reason::kRoleLimit);
}

TEST_F(LookupTotalsTest, WithoutMemoryNothingIsLookedUpButWhatIsKnownIsStillConnectedTo) {
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "a.example.com", 0, {"9.9.9.9"});
  const std::vector<char> much(8 << 20);
  if (AllocatedBytes() == 0) GTEST_SKIP() << "a sanitizer's allocator does not say";
  usage.SetLimits({0, 1});
  ExpectLimited(worker.Ask(Resolve("b.example.com")).result(), Reason::kMemory);
  ExpectLimited(worker.Ask(OpenChannelRequest()).result(), Reason::kMemory);
  EXPECT_EQ(worker.Ask(ConnectTo("9.9.9.9")).result().outcome, Outcome::kConnected);
  usage.SetLimits({0, 0});
  EXPECT_EQ(worker.Ask(OpenChannelRequest()).result().outcome, Outcome::kOpened);
}

}  // namespace
}  // namespace sockgate
