// Lookups that are too many, that nobody answers, or whose worker has gone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/refusal.h"
#include "proto/packet_socket.h"
#include "tests/broker/lookup_world.h"

namespace sockgate {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using testing::LookupWorld;
using testing::Resolve;
using testing::TestWorker;

std::string NumberedName(size_t i) { return absl::StrCat("n", i, ".example.com"); }

class LookupLimitsTest : public ::testing::Test, protected LookupWorld {
 protected:
  using LookupWorld::LookupWorld;
};

TEST_F(LookupLimitsTest, AWorkerMayHaveOnlySoManyLookups) {
  role.limits.max_lookups = 2;
  TestWorker worker = AddGreetedWorker();
  TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
  worker.Send(Resolve(NumberedName(0)));
  ASSERT_TRUE(AwaitQuestions(1));
  minted.Send(Resolve(NumberedName(1)));
  ASSERT_TRUE(AwaitQuestions(2));
  const Result result = worker.Ask(Resolve(NumberedName(2))).result();
  EXPECT_EQ(result.outcome, Outcome::kLimited);
  EXPECT_EQ(result.reason, Reason::kLookups);
  EXPECT_GT(result.retry_after_ms, 0U);
  EXPECT_EQ(Last("answer").at("reason"), "too-many-lookups");
  EXPECT_EQ(Last("lookup").at("name"), NumberedName(2)) << "it was decided";
  TestWorker other = AddGreetedWorker();
  other.Send(Resolve(NumberedName(3)));
  EXPECT_TRUE(AwaitQuestions(3)) << "of the worker, not of all";

  Do([&] { names.Found(0, {"9.9.9.9"}); });
  EXPECT_EQ(worker.Receive().result().outcome, Outcome::kResolved);
  EXPECT_EQ(worker.Ask(Resolve(NumberedName(0))).result().outcome, Outcome::kResolved);
  worker.Send(Resolve(NumberedName(2)));
  EXPECT_TRUE(AwaitQuestions(4)) << "one is over";
}

TEST_F(LookupLimitsTest, WhatIsKnownIsNoLookup) {
  role.limits.max_lookups = 1;
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, NumberedName(0), 0, {"9.9.9.9"});
  worker.Send(Resolve(NumberedName(1)));
  ASSERT_TRUE(AwaitQuestions(2));
  EXPECT_EQ(worker.Ask(Resolve(NumberedName(0))).result().outcome, Outcome::kResolved);
}

TEST_F(LookupLimitsTest, AWorkerMayAskOnlySoOften) {
  role.limits.lookups_per_second = 1;
  role.limits.lookup_burst = 2;
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, NumberedName(0), 0, {"9.9.9.9"});
  AskAndFind(&worker, NumberedName(1), 1, {"9.9.9.9"});
  const Result result = worker.Ask(Resolve(NumberedName(2))).result();
  EXPECT_EQ(result.reason, Reason::kLookups);
  EXPECT_GT(result.retry_after_ms, kRetryAfterMs);
  EXPECT_EQ(worker.Ask(Resolve(NumberedName(0))).result().outcome, Outcome::kResolved)
      << "what is known is free";
  TestWorker other = AddGreetedWorker();
  other.Send(Resolve(NumberedName(2)));
  EXPECT_TRUE(AwaitQuestions(3)) << "of the worker, not of all";
  Do([&] { names.Die(); });
}

constexpr size_t kMostOfOneRole = NameService::kMostQuestions / 2;

TEST_F(LookupLimitsTest, ARoleMayHaveAsManyAsAreLeftForTheOthers) {
  role.limits.max_lookups = 1000;
  role.limits.max_outstanding = 1000;
  std::vector<TestWorker> workers;
  for (size_t i = 0; i < kMostOfOneRole; ++i) {
    if (i % 256 == 0) workers.push_back(AddGreetedWorker());
    workers.back().Send(Resolve(NumberedName(i)));
    if (i % 16 == 15) {
      ASSERT_TRUE(AwaitQuestions(i + 1));
    }
  }
  TestWorker late = AddGreetedWorker();
  EXPECT_EQ(late.Ask(Resolve("late.example.com")).result().reason, Reason::kLookups);
  Role next_role = LookupRole();
  next_role.name = "next";
  TestWorker next = AddGreetedWorkerOf(std::make_shared<const Role>(next_role));
  next.Send(Resolve("late.example.com"));
  ASSERT_TRUE(AwaitQuestions(kMostOfOneRole + 1)) << "there is room for other roles";
  late.Send(Resolve(NumberedName(7)));
  Do([&] { names.Found(7, {"9.9.9.9"}); });
  EXPECT_THAT(late.Receive().addresses(), ElementsAre("9.9.9.9")) << "who asks the same may wait";
  Do([&] { names.Die(); });
  EXPECT_EQ(next.Receive().result().error, static_cast<uint32_t>(EAGAIN));
}

TEST_F(LookupLimitsTest, ClosingChannelsMakesNoRoomForMoreQuestions) {
  role.limits.max_lookups = 2;
  TestWorker worker = AddGreetedWorker();
  for (size_t i = 0; i < 2; ++i) {
    TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
    minted.Send(Resolve(NumberedName(i)));
    ASSERT_TRUE(AwaitQuestions(i + 1));
    minted.Close();
    ASSERT_TRUE(AwaitChannels(1));
  }
  EXPECT_EQ(worker.Ask(Resolve(NumberedName(2))).result().reason, Reason::kLookups);
  Do([&] { names.Found(0, {"9.9.9.9"}); });
  worker.Send(Resolve(NumberedName(2)));
  EXPECT_TRUE(AwaitQuestions(3)) << "one is over";
}

TEST_F(LookupLimitsTest, AnAbandonedQuestionIsPaidForOnceWhoeverWaitsForIt) {
  role.limits.max_lookups = 2;
  TestWorker worker = AddGreetedWorker();
  for (int i = 0; i < 3; ++i) {
    TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
    minted.Send(Resolve(NumberedName(0)));
    ASSERT_TRUE(AwaitLookups(static_cast<size_t>(i) + 1));
    minted.Close();
    ASSERT_TRUE(AwaitChannels(1));
  }
  worker.Send(Resolve(NumberedName(1)));
  EXPECT_TRUE(AwaitQuestions(2));
  Do([&] { names.Die(); });
  EXPECT_EQ(worker.Receive().result().error, static_cast<uint32_t>(EAGAIN));
}

TEST_F(LookupLimitsTest, OutstandingRequestsCountLookupsToo) {
  role.limits.max_outstanding = 1;
  TestWorker worker = AddGreetedWorker();
  worker.Send(Resolve(NumberedName(0)));
  ASSERT_TRUE(AwaitQuestions(1));
  EXPECT_EQ(worker.Ask(Resolve(NumberedName(1))).result().reason, Reason::kOutstanding);
  EXPECT_EQ(worker.Ask(testing::ConnectTo()).result().reason, Reason::kOutstanding);
  Do([&] { names.Found(0, {"9.9.9.9"}); });
  EXPECT_EQ(worker.Receive().result().outcome, Outcome::kResolved);
  EXPECT_EQ(worker.Ask(Resolve(NumberedName(0))).result().outcome, Outcome::kResolved);
}

TEST_F(LookupLimitsTest, WhenTheResolverDiesEveryLookupMayTryAgain) {
  TestWorker worker = AddGreetedWorker();
  TestWorker other = AddGreetedWorker();
  worker.Send(Resolve(NumberedName(0)));
  worker.Send(Resolve(NumberedName(1)));
  other.Send(Resolve(NumberedName(0)));
  ASSERT_TRUE(AwaitQuestions(2));
  ASSERT_TRUE(AwaitLookups(3));
  Do([&] { names.Die(); });
  for (TestWorker* one : {&worker, &worker, &other}) {
    EXPECT_EQ(one->Receive().result().error, static_cast<uint32_t>(EAGAIN));
  }
  EXPECT_THAT(AskAndFind(&worker, NumberedName(0), 2, {"9.9.9.9"}).addresses(),
              ElementsAre("9.9.9.9"));
}

TEST_F(LookupLimitsTest, AWorkerThatDiesLeavesNothingBehind) {
  TestWorker worker = AddGreetedWorker();
  TestWorker other = AddGreetedWorker();
  worker.Send(Resolve(NumberedName(0)));
  ASSERT_TRUE(AwaitQuestions(1));
  worker.Send(Resolve(NumberedName(1)));
  ASSERT_TRUE(AwaitQuestions(2));
  other.Send(Resolve(NumberedName(0)));
  ASSERT_TRUE(AwaitLookups(3));
  worker.Close();
  ASSERT_TRUE(AwaitChannels(1));
  EXPECT_EQ(Audit("answer").size(), 2U);
  EXPECT_EQ(Last("answer").at("errno"), ECANCELED);
  Do([&] { names.Found(0, {"9.9.9.9"}); });
  Do([&] { names.Found(1, {"8.8.8.8"}); });
  EXPECT_THAT(other.Receive().addresses(), ElementsAre("9.9.9.9"));
  EXPECT_THAT(other.Ask(Resolve(NumberedName(1))).addresses(), ElementsAre("8.8.8.8"))
      << "the answer came for the cache";
}

TEST_F(LookupLimitsTest, AWorkerThatDiesOfTheAnswerTakesItsOtherLookupsWithIt) {
  TestWorker worker = AddGreetedWorker();
  for (int i = 0; i < 3; ++i) worker.Send(Resolve(NumberedName(0)));
  worker.Send(Resolve(NumberedName(1)));
  ASSERT_TRUE(AwaitQuestions(2));
  ASSERT_TRUE(AwaitLookups(4));
  // Between the worker's end and the loop's hearing of it.
  Do([&] {
    worker.Close();
    names.Found(0, {"9.9.9.9"});
  });
  ASSERT_TRUE(AwaitChannels(0));
  EXPECT_EQ(Audit("answer").size(), 4U);
  Do([&] { names.Found(1, {"9.9.9.9"}); });
  EXPECT_EQ(Audit("answer").size(), 4U);
}

TEST_F(LookupLimitsTest, TheBrokerMayStopAmidLookups) {
  TestWorker worker = AddGreetedWorker();
  worker.Send(Resolve(NumberedName(0)));
  ASSERT_TRUE(AwaitQuestions(1));
  Do([&] { server.reset(); });
  EXPECT_TRUE(worker.Closed());
}

TEST_F(LookupLimitsTest, AnAnswerThatNobodyAskedForIsNobodys) {
  TestWorker worker = AddGreetedWorker();
  worker.Send(Resolve(NumberedName(0)));
  ASSERT_TRUE(AwaitQuestions(1));
  Do([&] {
    ResolverAnswer answer;
    answer.status = ResolverStatus::kFound;
    answer.v4_count = 1;
    for (const uint32_t id : {0U, 2U, UINT32_MAX}) {
      answer.id = id;
      names.Say(answer);
    }
  });
  EXPECT_TRUE(worker.Quiet());
  Do([&] { names.Found(0, {"9.9.9.9"}); });
  EXPECT_EQ(worker.Receive().result().outcome, Outcome::kResolved);
  Do([&] { names.Found(0, {"8.8.8.8"}); });
  EXPECT_THAT(worker.Ask(Resolve(NumberedName(0))).addresses(), ElementsAre("9.9.9.9"))
      << "the first answer counts";
}

TEST_F(LookupLimitsTest, MoreAddressesThanThereAreFitTheReply) {
  TestWorker worker = AddGreetedWorker();
  worker.Send(Resolve(NumberedName(0)));
  ASSERT_TRUE(AwaitQuestions(1));
  Do([&] {
    ResolverAnswer answer;
    answer.id = names.question(0).id;
    answer.status = ResolverStatus::kFound;
    answer.v4_count = 255;
    answer.v6_count = 255;
    for (uint8_t i = 0; i < kMaxAddressesPerFamily; ++i) {
      answer.v4[i] = IpAddress::V4({9, 9, 9, i});
      answer.v6[i] = IpAddress::V4({8, 8, 8, i});
    }
    names.Say(answer);
  });
  EXPECT_EQ(worker.Receive().addresses().size(), kMaxAddressesPerFamily);
}

TEST_F(LookupLimitsTest, NothingIsResolvedForAProcessThatShowsNoFilter) {
  role.require_confined = true;
  auto pair = MakeChannelPair();
  ConfinedCheck check = ConfinedCheck::OfPeer(pair->broker.get(), getpid());
  Do([&] {
    server->AddWorkerByPath(std::move(pair->broker), lent_role, {getpid(), getuid()},
                            std::move(check));
  });
  TestWorker worker(std::move(pair->worker));
  worker.Greet();
  const Result result = worker.Ask(Resolve(NumberedName(0))).result();
  EXPECT_EQ(result.outcome, Outcome::kDenied);
  EXPECT_EQ(result.reason, Reason::kNotConfined);
  EXPECT_EQ(Questions(), 0U);
}

class ImpatientTest : public LookupLimitsTest {
 protected:
  ImpatientTest() : LookupLimitsTest(std::chrono::milliseconds(20)) {}
};

TEST_F(ImpatientTest, AQuestionThatNobodyAnswersEnds) {
  TestWorker worker = AddGreetedWorker();
  const Answer answer = worker.Ask(Resolve(NumberedName(0)));
  EXPECT_EQ(answer.result().error, static_cast<uint32_t>(EAGAIN));
  Do([&] {
    EXPECT_TRUE(names.question(0).given_up);
    names.Found(0, {"9.9.9.9"});  // too late
  });
  EXPECT_TRUE(worker.Quiet());
}

}  // namespace
}  // namespace sockgate
