// A request to resolve, from the name to the addresses that a worker learns.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>

#include "proto/packet_socket.h"
#include "tests/broker/lookup_world.h"

namespace sockgate {
namespace {

using nlohmann::json;
using testing::Answer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::LookupWorld;
using testing::Resolve;
using testing::TestWorker;

class SessionLookupTest : public ::testing::Test, protected LookupWorld {};

TEST_F(SessionLookupTest, HelloGrantsWhatWasAskedFor) {
  Hello hello;
  for (const uint32_t asked : {0U, kCapabilityResolve, UINT32_MAX}) {
    hello.capabilities = asked;
    TestWorker worker = AddWorker();
    EXPECT_EQ(std::get<HelloReply>(worker.Ask(hello).reply.body).capabilities,
              asked & kCapabilityResolve);
  }
}

TEST_F(SessionLookupTest, AnAllowedNameLeadsToItsAddresses) {
  TestWorker worker = AddGreetedWorker();
  worker.Send(Resolve("WWW.Example.com."));
  AwaitQuestions(1);
  Do([&] {
    EXPECT_EQ(names.question(0).name, "www.example.com");
    names.Found(0, {"9.9.9.9", "2620:fe::fe", "8.8.8.8"}, 77, "cdn.example.net");
  });
  const Answer answer = worker.Receive();
  EXPECT_EQ(answer.result().outcome, Outcome::kResolved);
  EXPECT_EQ(answer.result().rule, 1U);
  EXPECT_THAT(answer.addresses(), ElementsAre("9.9.9.9", "8.8.8.8", "2620:fe::fe"));
  EXPECT_EQ(answer.ttl_seconds(), 77U);
  EXPECT_EQ(answer.canonical_name, "cdn.example.net");

  json line = Last("lookup");
  EXPECT_EQ(line.at("name"), "www.example.com");
  EXPECT_EQ(line.at("family"), "any");
  EXPECT_EQ(line.at("verdict"), "allow");
  EXPECT_EQ(line.at("rule"), 1);
  EXPECT_EQ(line.at("reason"), "none");
  EXPECT_EQ(line.at("policy"), 1);
  line = Last("answer");
  EXPECT_EQ(line.at("request"), 2);
  EXPECT_EQ(line.at("outcome"), "resolved");
  EXPECT_EQ(line.at("source"), "resolver");
  EXPECT_EQ(line.at("v4"), 2);
  EXPECT_EQ(line.at("v6"), 1);
  EXPECT_FALSE(line.contains("dropped"));
  EXPECT_TRUE(line.contains("lookup_us"));
}

TEST_F(SessionLookupTest, ADeniedNameIsAskedOfNobody) {
  TestWorker worker = AddGreetedWorker();
  Result result = worker.Ask(Resolve("bad.example.com")).result();
  EXPECT_EQ(result.outcome, Outcome::kDenied);
  EXPECT_EQ(result.reason, Reason::kDenyRule);
  EXPECT_EQ(result.rule, 2U);
  result = worker.Ask(Resolve("example.org")).result();
  EXPECT_EQ(result.outcome, Outcome::kDenied);
  EXPECT_EQ(result.reason, Reason::kNoRuleMatches);
  EXPECT_EQ(Questions(), 0U);
  EXPECT_EQ(Last("lookup").at("verdict"), "deny");
  EXPECT_EQ(Audit("lookup").size(), 2U);
  EXPECT_THAT(Audit("answer"), IsEmpty());
}

TEST_F(SessionLookupTest, WhatIsNoNameIsABadRequest) {
  TestWorker worker = AddGreetedWorker();
  for (const std::string& name :
       {std::string("127.0.0.1"), std::string("0x7f.1"), std::string("2130706433"),
        std::string("[::1]"), std::string("::1"), std::string("a..example.com"), std::string("."),
        std::string("a b.example.com"), std::string("\n\xff\"\\"), std::string(253, 'a')}) {
    const Result result = worker.Ask(Resolve(name)).result();
    EXPECT_EQ(result.outcome, Outcome::kBadRequest) << name;
    EXPECT_EQ(result.reason, Reason::kBadName) << name;
  }
  EXPECT_EQ(Questions(), 0U);
  EXPECT_THAT(Audit("lookup"), IsEmpty());
  EXPECT_EQ(Audit("answer").at(0).at("name"), "127.0.0.1");
  EXPECT_EQ(Last("answer").at("reason"), "bad-name");
}

TEST_F(SessionLookupTest, OfAMixedAnswerOnlyWhatMayBeReached) {
  TestWorker worker = AddGreetedWorker();
  const Answer answer =
      AskAndFind(&worker, "www.example.com", 0,
                 {"10.0.0.1", "9.9.9.9", "127.0.0.1", "::1", "64:ff9b::10.0.0.1", "2620:fe::fe"});
  EXPECT_THAT(answer.addresses(), ElementsAre("9.9.9.9", "2620:fe::fe"));
  EXPECT_EQ(Last("answer").at("dropped"), 4);
}

TEST_F(SessionLookupTest, NothingLeftIsDeniedForTheReason) {
  TestWorker worker = AddGreetedWorker();
  const Answer answer = AskAndFind(&worker, "www.example.com", 0, {"169.254.169.254"});
  EXPECT_EQ(answer.result().outcome, Outcome::kDenied);
  EXPECT_EQ(answer.result().reason, Reason::kSpecialPurpose);
  EXPECT_THAT(answer.addresses(), IsEmpty());
  EXPECT_EQ(Last("answer").at("outcome"), "denied");
  EXPECT_EQ(Last("answer").at("reason"), "special-purpose-address");
}

TEST_F(SessionLookupTest, APrivateNameMayLeadToPrivateAddresses) {
  TestWorker worker = AddGreetedWorker();
  const Answer answer = AskAndFind(&worker, "intern.example.com", 0, {"10.0.0.1", "0.0.0.0"});
  EXPECT_THAT(answer.addresses(), ElementsAre("10.0.0.1"));
}

TEST_F(SessionLookupTest, AFoldedAddressIsAnIpv4One) {
  TestWorker worker = AddGreetedWorker();
  const Answer answer = AskAndFind(&worker, "www.example.com", 0,
                                   {"::ffff:9.9.9.9", "::ffff:127.0.0.1", "2620:fe::fe"});
  EXPECT_THAT(answer.addresses(), ElementsAre("9.9.9.9", "2620:fe::fe"));
}

TEST_F(SessionLookupTest, OnlyTheFamilyThatWasAskedFor) {
  TestWorker worker = AddGreetedWorker();
  EXPECT_THAT(
      AskAndFind(&worker, "a.example.com", 0, {"9.9.9.9", "2620:fe::fe"}, 60, NameFamily::kIpv4)
          .addresses(),
      ElementsAre("9.9.9.9"));
  EXPECT_THAT(worker.Ask(Resolve("a.example.com", NameFamily::kIpv6)).addresses(),
              ElementsAre("2620:fe::fe"));
  const Answer none = AskAndFind(&worker, "b.example.com", 1, {"9.9.9.9"}, 60, NameFamily::kIpv6);
  EXPECT_EQ(none.result().outcome, Outcome::kFailed);
  EXPECT_EQ(none.result().error, static_cast<uint32_t>(ENODATA));
}

TEST_F(SessionLookupTest, EachTroubleHasItsError) {
  const struct {
    ResolverStatus status;
    int error;
  } cases[] = {
      {ResolverStatus::kNoName, ENOENT},   {ResolverStatus::kNoAddress, ENODATA},
      {ResolverStatus::kTryAgain, EAGAIN}, {ResolverStatus::kBusy, EAGAIN},
      {ResolverStatus::kFailed, EIO},
  };
  TestWorker worker = AddGreetedWorker();
  size_t i = 0;
  for (const auto& one : cases) {
    worker.Send(Resolve("www.example.com"));
    ASSERT_TRUE(AwaitQuestions(i + 1));
    Do([&] { names.NotFound(i, one.status); });
    const Result result = worker.Receive().result();
    EXPECT_EQ(result.outcome, Outcome::kFailed);
    EXPECT_EQ(result.error, static_cast<uint32_t>(one.error));
    EXPECT_EQ(Last("answer").at("errno"), one.error);
    ++i;
  }
}

TEST_F(SessionLookupTest, WhatIsKnownCostsNoQuestion) {
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "www.example.com", 0, {"9.9.9.9"}, 3600);
  for (TestWorker* asking : {&worker}) {
    const Answer answer = asking->Ask(Resolve("www.EXAMPLE.com"));
    EXPECT_THAT(answer.addresses(), ElementsAre("9.9.9.9"));
    EXPECT_GE(answer.ttl_seconds(), 3590U);
  }
  TestWorker other = AddGreetedWorker();
  EXPECT_THAT(other.Ask(Resolve("www.example.com")).addresses(), ElementsAre("9.9.9.9"));
  EXPECT_EQ(Questions(), 1U);
  EXPECT_EQ(Last("answer").at("source"), "cache");
  EXPECT_EQ(Audit("lookup").size(), 3U);
  EXPECT_EQ(Audit("answer").size(), 3U);
}

TEST_F(SessionLookupTest, SoDoesWhatIsKnownNotToBe) {
  TestWorker worker = AddGreetedWorker();
  worker.Send(Resolve("www.example.com"));
  AwaitQuestions(1);
  Do([&] { names.NotFound(0, ResolverStatus::kNoName, 60); });
  EXPECT_EQ(worker.Receive().result().error, static_cast<uint32_t>(ENOENT));
  EXPECT_EQ(worker.Ask(Resolve("www.example.com")).result().error, static_cast<uint32_t>(ENOENT));
  EXPECT_EQ(Questions(), 1U);
}

TEST_F(SessionLookupTest, TheCacheIsJudgedAnewByEachPolicy) {
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "intern.example.com", 0, {"10.0.0.1", "9.9.9.9"});
  Do([&] { role.policy = Policy({OnHost(Decision::kAllow, "intern.example.com")}); });
  EXPECT_THAT(worker.Ask(Resolve("intern.example.com")).addresses(), ElementsAre("9.9.9.9"));
  Do([&] { role.policy = Policy(); });
  EXPECT_EQ(worker.Ask(Resolve("intern.example.com")).result().outcome, Outcome::kDenied);
  EXPECT_EQ(Questions(), 1U);
}

TEST_F(SessionLookupTest, APolicyThatComesBetweenQuestionAndAnswerJudgesTheAnswer) {
  TestWorker worker = AddGreetedWorker();
  worker.Send(Resolve("www.example.com"));
  AwaitQuestions(1);
  Do([&] {
    role.policy = Policy::Closed(Reason::kRoleRemoved);
    names.Found(0, {"9.9.9.9"});
  });
  const Result result = worker.Receive().result();
  EXPECT_EQ(result.outcome, Outcome::kDenied);
  EXPECT_EQ(result.reason, Reason::kRoleRemoved);
}

TEST_F(SessionLookupTest, ReportModeKeepsWhatItWouldDropAndSaysSo) {
  role.policy = Policy(role.policy.rules(), PolicyMode::kReport);
  TestWorker worker = AddGreetedWorker();
  const Answer answer =
      AskAndFind(&worker, "bad.example.com", 0, {"10.0.0.1", "0.0.0.0", "9.9.9.9"});
  EXPECT_THAT(answer.addresses(), ElementsAre("10.0.0.1", "9.9.9.9"));
  EXPECT_EQ(Last("lookup").at("verdict"), "would-deny");
  EXPECT_EQ(Last("lookup").at("rule"), 2);
  EXPECT_EQ(Last("answer").at("dropped"), 1);
  EXPECT_EQ(Last("answer").at("would_drop"), 2);
}

TEST_F(SessionLookupTest, EqualQuestionsAreAskedOnce) {
  std::vector<TestWorker> workers;
  for (int i = 0; i < 100; ++i) {
    workers.push_back(AddGreetedWorker());
    workers.back().Send(Resolve(i % 2 == 0 ? "www.example.com" : "WWW.example.COM."));
  }
  ASSERT_TRUE(AwaitLookups(100));
  Do([&] {
    ASSERT_EQ(names.size(), 1U);
    names.Found(0, {"9.9.9.9"}, 0);
  });
  for (TestWorker& worker : workers) {
    EXPECT_THAT(worker.Receive().addresses(), ElementsAre("9.9.9.9"));
  }
  workers[0].Send(Resolve("www.example.com"));
  EXPECT_TRUE(AwaitQuestions(2)) << "a TTL of 0 is for those who waited";
}

TEST_F(SessionLookupTest, NothingIsSharedAcrossRoles) {
  Role other = LookupRole();
  other.name = "other";
  TestWorker worker = AddGreetedWorker();
  auto pair = MakeChannelPair();
  Do([&] {
    server->AddWorker(std::move(pair->broker), std::make_shared<const Role>(other), {42, 7});
  });
  TestWorker stranger(std::move(pair->worker));
  stranger.Greet();
  worker.Send(Resolve("www.example.com"));
  stranger.Send(Resolve("www.example.com"));
  ASSERT_TRUE(AwaitQuestions(2));
  Do([&] { names.Found(0, {"9.9.9.9"}); });
  Do([&] { names.Found(1, {"8.8.8.8"}); });
  const Answer first = worker.Receive();
  const Answer second = stranger.Receive();
  EXPECT_NE(first.addresses(), second.addresses());
  EXPECT_EQ(worker.Ask(Resolve("www.example.com")).addresses(), first.addresses());
  EXPECT_EQ(stranger.Ask(Resolve("www.example.com")).addresses(), second.addresses());
  stranger.Close();
  EXPECT_TRUE(AwaitChannels(1));
}

TEST_F(SessionLookupTest, NobodyIsAskedAboutLocalhost) {
  Rule localhost = OnHost(Decision::kAllow, "localhost");
  localhost.private_addresses = true;
  role.policy = Policy({localhost});
  TestWorker worker = AddGreetedWorker();
  EXPECT_THAT(worker.Ask(Resolve("LocalHost.")).addresses(), ElementsAre("127.0.0.1", "::1"));
  EXPECT_EQ(Questions(), 0U);
  EXPECT_EQ(worker.Ask(Resolve("a.localhost")).result().outcome, Outcome::kDenied);
}

TEST_F(SessionLookupTest, TheLogTellsWhatWasTakenOut) {
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "www.example.com", 0,
             {"10.0.0.1", "9.9.9.9", "127.0.0.1", "fe80::1", "10.0.0.2", "10.0.0.3"});
  EXPECT_EQ(Last("answer").at("dropped"), 5);
  EXPECT_EQ(Last("answer").at("dropped_addresses").size(), 4U);
  EXPECT_EQ(Last("answer").at("dropped_addresses").at(0), "10.0.0.1");
}

}  // namespace
}  // namespace sockgate
