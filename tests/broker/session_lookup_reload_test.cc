// Lookups that wait for a name server while the policy is replaced.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/broker/lookup_world.h"

namespace sockgate {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::LookupWorld;
using testing::Resolve;
using testing::TestWorker;

class LookupReloadTest : public ::testing::Test, protected LookupWorld {
 protected:
  // The same role with these rules instead; with `renewed` the source is another one, too.
  void Reload(std::vector<Rule> rules, bool renewed = false) {
    Role next = role;
    next.policy = Policy(std::move(rules));
    const RoleTable table = *RoleTable::Make({next});
    const TtlBounds ttl;
    Do([&] { server->Adopt(table, renewed ? &ttl : nullptr); });
  }
  void ReloadTheSame(bool renewed = false) {
    Reload({OnHost(Decision::kAllow, "*.example.com", "443")}, renewed);
  }
};

TEST_F(LookupReloadTest, ANameThatIsDeniedNowIsAskedNobody) {
  TestWorker worker = AddGreetedWorker();
  worker.Send(Resolve("www.example.com"));
  ASSERT_TRUE(AwaitQuestions(1));
  Reload({OnHost(Decision::kDeny, "www.example.com"), OnHost(Decision::kAllow, "*.example.com")});
  const Result result = worker.Receive().result();
  EXPECT_EQ(result.outcome, Outcome::kDenied);
  EXPECT_EQ(result.reason, Reason::kDenyRule);
  EXPECT_EQ(Questions(), 1U);
  EXPECT_TRUE(names.question(0).forgotten);
  EXPECT_EQ(Audit("lookup").size(), 2U);
  EXPECT_EQ(Last("lookup").at("verdict"), "deny");
}

TEST_F(LookupReloadTest, OneThatIsStillAllowedIsAskedAnewAndAnsweredOnce) {
  TestWorker worker = AddGreetedWorker();
  TestWorker other = AddGreetedWorker();
  worker.Send(Resolve("www.example.com"));
  other.Send(Resolve("www.example.com"));
  ASSERT_TRUE(AwaitLookups(2));
  ReloadTheSame();
  EXPECT_EQ(Questions(), 2U);
  Do([&] { names.Found(0, {"8.8.8.8"}); });
  EXPECT_TRUE(worker.Quiet()) << "nobody waits for the old answer";
  Do([&] { names.Found(1, {"9.9.9.9"}); });
  EXPECT_THAT(worker.Receive().addresses(), ElementsAre("9.9.9.9"));
  EXPECT_THAT(other.Receive().addresses(), ElementsAre("9.9.9.9"));
  EXPECT_EQ(Audit("answer").size(), 2U);
}

TEST_F(LookupReloadTest, ARoleThatIsGoneIsDenied) {
  TestWorker worker = AddGreetedWorker();
  worker.Send(Resolve("www.example.com"));
  ASSERT_TRUE(AwaitQuestions(1));
  Role other = role;
  other.name = "other";
  Do([&] { server->Adopt(*RoleTable::Make({other})); });
  EXPECT_EQ(worker.Receive().result().reason, Reason::kRoleRemoved);
  EXPECT_EQ(Questions(), 1U);
}

TEST_F(LookupReloadTest, AnotherSourceMakesTheCacheForget) {
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "www.example.com", 0, {"9.9.9.9"});
  ReloadTheSame();
  EXPECT_THAT(worker.Ask(Resolve("www.example.com")).addresses(), ElementsAre("9.9.9.9"));
  EXPECT_EQ(Questions(), 1U);
  ReloadTheSame(/*renewed=*/true);
  EXPECT_THAT(AskAndFind(&worker, "www.example.com", 1, {"8.8.8.8"}).addresses(),
              ElementsAre("8.8.8.8"));
}

TEST_F(LookupReloadTest, AQuestionThatNobodyWaitsForIsNotAskedAgain) {
  TestWorker worker = AddGreetedWorker();
  TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
  minted.Send(Resolve("www.example.com"));
  ASSERT_TRUE(AwaitQuestions(1));
  minted.Close();
  ASSERT_TRUE(AwaitChannels(1));
  ReloadTheSame();
  EXPECT_EQ(Questions(), 1U);
  EXPECT_TRUE(names.question(0).forgotten);
}

// What it is told of the first makes the broker notice that it is gone, amid the others.
TEST_F(LookupReloadTest, AWorkerThatDiesOfItTakesItsOtherLookupsWithIt) {
  TestWorker worker = AddGreetedWorker();
  for (const char* name : {"a.example.com", "b.example.com", "c.example.com"}) {
    worker.Send(Resolve(name));
  }
  ASSERT_TRUE(AwaitQuestions(3));
  Role next = role;
  next.policy = Policy();
  Do([&] {
    worker.Close();
    server->Adopt(*RoleTable::Make({next}));
  });
  ASSERT_TRUE(AwaitChannels(0));
  EXPECT_EQ(Questions(), 3U);
  EXPECT_EQ(Audit("lookup").size() + Audit("answer").size(), 6U) << "three ends, in either form";
}

}  // namespace
}  // namespace sockgate
