#include "broker/server.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "tests/broker/server_world.h"
#include "tests/support/process_stats.h"

namespace sockgate {
namespace {

using nlohmann::json;
using testing::Answer;
using testing::ConnectTo;
using testing::ServerWorld;
using testing::TestWorker;

constexpr ConnectMode kInProgress = ConnectMode::kInProgress;

class ServerTest : public ::testing::Test, protected ServerWorld {};

TEST_F(ServerTest, LogsTheBeginAndTheEndOfAChannel) {
  AddGreetedWorker().Close();
  ASSERT_TRUE(AwaitChannels(0));
  EXPECT_EQ(Audit(), std::vector<json>({
                         {{"event", "channel"},
                          {"worker", 1},
                          {"channel", 1},
                          {"role", "test"},
                          {"pid", 42},
                          {"uid", 7},
                          {"change", "opened"}},
                         {{"event", "channel"},
                          {"worker", 1},
                          {"channel", 1},
                          {"role", "test"},
                          {"pid", 42},
                          {"uid", 7},
                          {"change", "closed"}},
                     }));
}

TEST_F(ServerTest, WritesTheLogSoonWithoutBeingAsked) {
  TestWorker worker = AddGreetedWorker();
  for (int i = 0; i < 200 && lseek(log.get(), 0, SEEK_END) == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_GT(lseek(log.get(), 0, SEEK_END), 0);
}

TEST_F(ServerTest, AMintedChannelBelongsToTheSameWorker) {
  TestWorker first = AddGreetedWorker();
  TestWorker second(first.Ask(OpenChannelRequest()).descriptor);
  TestWorker stranger = AddGreetedWorker();
  second.Ask(ConnectTo("192.0.2.66"));
  stranger.Ask(ConnectTo("192.0.2.66"));
  const auto decisions = Audit("decision");
  ASSERT_EQ(decisions.size(), 2U);
  EXPECT_EQ(decisions[0].at("worker"), 1);
  EXPECT_EQ(decisions[0].at("channel"), 2);
  EXPECT_EQ(decisions[1].at("worker"), 2);
  EXPECT_EQ(decisions[1].at("channel"), 3);
}

TEST_F(ServerTest, AMintedChannelOutlivesTheOneThatMintedIt) {
  TestWorker first = AddGreetedWorker();
  TestWorker second(first.Ask(OpenChannelRequest()).descriptor);
  second.Send(ConnectTo());
  ASSERT_TRUE(AwaitLines(1));
  first.Close();
  ASSERT_TRUE(AwaitChannels(1));
  Do([&] { net.Finish(0); });
  EXPECT_EQ(second.Receive().result().outcome, Outcome::kConnected);
}

// The worker keeps its other channel, so only what nobody can be told about any more ends.
TEST_F(ServerTest, AChannelsEndCancelsWhatWouldBeAnsweredThere) {
  TestWorker first = AddGreetedWorker();
  TestWorker second(first.Ask(OpenChannelRequest()).descriptor);
  second.Send(ConnectTo());
  const Answer started = second.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  first.Send(ConnectTo());
  ASSERT_TRUE(AwaitLines(3));
  second.Close();
  ASSERT_TRUE(AwaitChannels(1));
  EXPECT_EQ(net.Holders(0), 0U);
  EXPECT_EQ(net.Holders(1), 2U);
  EXPECT_EQ(net.Holders(2), 1U);
  const auto completions = Audit("completion");
  ASSERT_EQ(completions.size(), 1U);
  EXPECT_EQ(completions[0].at("errno"), ECANCELED);
  EXPECT_EQ(completions[0].at("channel"), 2);
}

TEST_F(ServerTest, AWorkersEndCancelsEverythingOfIts) {
  const size_t before = *testing::OpenFdCount(getpid());
  TestWorker survivor = AddGreetedWorker();
  survivor.Send(ConnectTo());
  ASSERT_TRUE(AwaitLines(1));
  {
    TestWorker first = AddGreetedWorker();
    TestWorker second(first.Ask(OpenChannelRequest()).descriptor);
    for (int i = 0; i < 20; ++i) {
      first.Send(ConnectTo());
      second.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
    }
    ASSERT_TRUE(AwaitLines(41));
  }
  ASSERT_TRUE(AwaitChannels(1));
  Do([&] {
    for (size_t i = 1; i < 41; ++i) EXPECT_EQ(net.Holders(i), 0U) << i;
    EXPECT_EQ(net.Holders(0), 1U);
  });
  EXPECT_EQ(Audit("completion").size(), 40U);
  survivor.Close();
  ASSERT_TRUE(AwaitChannels(0));
  EXPECT_EQ(*testing::OpenFdCount(getpid()), before + 41) << "the test's far sides";
}

// The sockets may have been passed on before the channel was closed.
TEST_F(ServerTest, AWorkerThatClosesItsChannelLosesItsUnfinishedHandshakes) {
  TestWorker worker = AddGreetedWorker();
  const Answer kept = worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  worker.Close();
  ASSERT_TRUE(AwaitChannels(0));
  EXPECT_EQ(net.line(0).give_ups, 1);
}

TEST_F(ServerTest, ManyWorkersComeAndGo) {
  const size_t before = *testing::OpenFdCount(getpid());
  for (int i = 0; i < 1000; ++i) {
    TestWorker worker = AddWorker();
    if (i % 2 == 0) worker.Greet();
    if (i % 4 == 0) worker.Send(ConnectTo("192.0.2.66"));
  }
  EXPECT_TRUE(AwaitChannels(0));
  EXPECT_EQ(*testing::OpenFdCount(getpid()), before);
}

TEST_F(ServerTest, AChannelThatEpollRefusesIsClosedAndLogged) {
  UniqueFd no_channel(memfd_create("file", MFD_CLOEXEC));
  const testing::OpenObject object = testing::OpenObject::Of(no_channel.get());
  Serve(std::move(no_channel));
  EXPECT_EQ(object.Holders(), 0U);
  EXPECT_EQ(server->channels(), 0U);
  EXPECT_EQ(AuditDetail("refused"), "Operation not permitted");
}

TEST_F(ServerTest, NoDescriptorLeftForAnotherChannel) {
  TestWorker worker = AddGreetedWorker();
  // UndefinedBehaviorSanitizer needs descriptors where a virtual call is made for the first time.
  worker.Ask(OpenChannelRequest());
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Result result = worker.Ask(OpenChannelRequest()).result();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(result.outcome, Outcome::kLimited);
  EXPECT_EQ(result.reason, Reason::kDescriptors);
}

// A role like the test's, but that it allows nothing.
RoleTable Without192() {
  Role closed;
  closed.name = "test";
  std::vector<Role> roles = {closed};
  return *RoleTable::Make(std::move(roles));
}

TEST_F(ServerTest, ANewPolicyHoldsForTheNextRequestOfEveryChannel) {
  TestWorker first = AddGreetedWorker();
  TestWorker second(first.Ask(OpenChannelRequest()).descriptor);
  Do([&] {
    net.UsualAnswers({0});
    server->Adopt(Without192());
  });
  for (TestWorker* worker : {&first, &second}) {
    EXPECT_EQ(worker->Ask(ConnectTo()).result().reason, Reason::kNoRuleMatches);
  }
  TestWorker third(second.Ask(OpenChannelRequest()).descriptor);
  EXPECT_EQ(third.Ask(ConnectTo()).result().outcome, Outcome::kDenied);
  Do([&] { server->Adopt(*RoleTable::Make({TestRole()})); });
  for (TestWorker* worker : {&first, &second, &third}) {
    EXPECT_EQ(worker->Ask(ConnectTo()).result().outcome, Outcome::kConnected);
  }
}

TEST_F(ServerTest, AHandshakeUnderWayOutlivesThePolicyThatAllowedIt) {
  TestWorker worker = AddGreetedWorker();
  const Answer started = worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  worker.Send(ConnectTo());
  ASSERT_TRUE(AwaitLines(2));
  Do([&] { server->Adopt(Without192()); });
  Do([&] {
    net.Finish(0);
    net.Finish(1);
  });
  EXPECT_EQ(worker.Receive().result().outcome, Outcome::kConnected);
  EXPECT_EQ(worker.Ask(ConnectTo()).result().outcome, Outcome::kDenied);
}

// Each worker's own reference would be one too many.
TEST_F(ServerTest, HoldsNoRoleOfBefore) {
  auto table = *RoleTable::Make({TestRole()});
  const std::weak_ptr<const Role> before = table.Find("test");
  Do([&] { server->Adopt(table); });
  TestWorker worker = AddGreetedWorker();
  TestWorker gone = AddGreetedWorker();
  Do([&] { server->Adopt(table); });
  TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
  worker.Send(ConnectTo());
  ASSERT_TRUE(AwaitLines(1));
  gone.Close();
  Do([&] {
    server->Adopt(Without192());
    table = Without192();
    EXPECT_TRUE(before.expired());
  });
}

TEST_F(ServerTest, CountsWorkersAndChannels) {
  TestWorker first = AddGreetedWorker();
  TestWorker second(first.Ask(OpenChannelRequest()).descriptor);
  TestWorker other = AddGreetedWorker();
  Do([&] {
    const auto crowds = server->Crowds();
    ASSERT_EQ(crowds.size(), 1U);
    EXPECT_EQ(crowds.at("test").workers, 2U);
    EXPECT_EQ(crowds.at("test").channels, 3U);
  });
}

TEST_F(ServerTest, ItsEndClosesAllAndLogsIt) {
  TestWorker first = AddGreetedWorker();
  TestWorker second(first.Ask(OpenChannelRequest()).descriptor);
  first.Send(ConnectTo());
  second.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  ASSERT_TRUE(AwaitLines(2));
  Do([&] { server.reset(); });
  EXPECT_TRUE(first.Closed());
  EXPECT_TRUE(second.Closed());
  EXPECT_EQ(AuditDetail("closed"), "broker stops");
  EXPECT_EQ(Audit("completion").size(), 2U);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(net.Holders(i), 0U);
}

// Its replies may carry sockets, which are in flight until they are read.
TEST_F(ServerTest, AChannelThatIsOverCountsUntilItsRepliesAreRead) {
  role.limits.max_channels = 2;
  TestWorker first = AddGreetedWorker();
  TestWorker minted(first.Ask(OpenChannelRequest()).descriptor);
  minted.Send(ConnectTo("192.0.2.66"));
  minted.SendBytes({0xff});
  ASSERT_TRUE(AwaitChannels(1));
  EXPECT_EQ(first.Ask(OpenChannelRequest()).result().reason, Reason::kChannels);
  Do([&] { EXPECT_EQ(server->Crowds().at("test").channels, 2U); });
  EXPECT_EQ(minted.Receive().result().outcome, Outcome::kDenied);
  EXPECT_TRUE(minted.Closed());
  EXPECT_TRUE(Until([&] { return server->Crowds().at("test").channels == 1U; }));
  EXPECT_EQ(first.Ask(OpenChannelRequest()).result().outcome, Outcome::kOpened);
}

TEST_F(ServerTest, NothingIsLeftOfAWorkerThatGoesWithoutReading) {
  RoleUsage* const of_role = usage.OfRole("test");
  TestWorker worker = AddGreetedWorker();
  worker.Send(ConnectTo("192.0.2.66"));
  worker.SendBytes({0xff});
  ASSERT_TRUE(AwaitChannels(0));
  Do([&] {
    EXPECT_EQ(server->Crowds().at("test").workers, 1U);
    EXPECT_EQ(of_role->workers, 1U);
  });
  worker.Close();
  EXPECT_TRUE(Until([&] { return of_role->workers == 0U; }));
  EXPECT_EQ(of_role->channels, 0U);
  EXPECT_EQ(usage.kept_descriptors(), 0U);
}

TEST_F(ServerTest, AWorkerWithoutAChannelKeepsNoPolicy) {
  auto other = std::make_shared<const Role>(TestRole());
  const std::weak_ptr<const Role> watched = other;
  TestWorker worker = AddGreetedWorkerOf(other);
  other.reset();
  worker.Send(ConnectTo("192.0.2.66"));
  worker.SendBytes({0xff});
  ASSERT_TRUE(AwaitChannels(0));
  EXPECT_TRUE(Until([&] { return watched.expired(); }));
}

}  // namespace
}  // namespace sockgate
