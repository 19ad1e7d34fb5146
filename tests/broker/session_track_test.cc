// Tracked connections on the whole path: requests, replies, reloads, revocations, ends.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "proto/packet_socket.h"
#include "tests/broker/server_world.h"
#include "tests/support/process_stats.h"

namespace sockgate {
namespace {

using nlohmann::json;
using testing::Answer;
using testing::ConnectTo;
using testing::ServerWorld;
using testing::TestWorker;

constexpr ConnectMode kConnected = ConnectMode::kConnected;
constexpr ConnectMode kInProgress = ConnectMode::kInProgress;

class SessionTrackTest : public ::testing::Test, protected ServerWorld {
 protected:
  SessionTrackTest() { role.track = true; }

  static bool Tracked(const Answer& answer) {
    return std::get<ConnectReply>(answer.reply.body).tracked;
  }
  // A connection that is there at once.
  Answer Connect(TestWorker* worker, const char* address = "192.0.2.1",
                 ConnectMode mode = kConnected) {
    Do([&] {
      net.NextAnswers({0});
      net.NextLook(Handshake::kDone);
    });
    Answer answer = worker->Ask(ConnectTo(address, 443, mode));
    EXPECT_EQ(answer.result().outcome, Outcome::kConnected);
    return answer;
  }
  // One handshake of the worker, the next line, and its end.
  void Handshake(TestWorker* worker, ConnectMode mode) {
    const size_t line = net.lines();
    worker->Send(ConnectTo("192.0.2.1", 443, mode));
    ASSERT_TRUE(AwaitLines(line + 1));
    Answer answer;
    if (mode == kInProgress) answer = worker->Receive();
    Do([&] { net.Finish(line); });
    if (mode == kConnected) answer = worker->Receive();
    EXPECT_TRUE(Tracked(answer));
  }
  // How many duplicates the broker has, when the worker has none.
  bool AwaitHolders(size_t line, size_t count) {
    return Until([&] { return net.Holders(line) == count; });
  }
  // How often the connector has given up this socket of its.
  int GiveUps(size_t line) {
    int count = 0;
    Do([&] { count = net.line(line).give_ups; });
    return count;
  }

  std::vector<std::string> ClosedBy() {
    std::vector<std::string> words;
    for (const json& line : Audit("connection")) words.push_back(line.at("closed_by"));
    return words;
  }
  // As a reload does: this role takes the place of its namesake.
  void Adopt(Role next) {
    auto table = RoleTable::Make({std::move(next)});
    ASSERT_TRUE(table.ok()) << table.status();
    Do([&] { server->Adopt(*table); });
  }
  Role RoleThatAllows(const std::string& place) {
    Role next = role;
    next.policy = Policy({*Rule::Parse(Decision::kAllow, place)});
    return next;
  }
  size_t Revoke(const RevokeOrder& order) {
    size_t count = 0;
    RevokeOrder::Met met;
    Do([&] { count = server->Revoke(order, &met); });
    return count;
  }
};

TEST_F(SessionTrackTest, OneThatIsThereAtOnce) {
  for (const ConnectMode mode : {kConnected, kInProgress}) {
    TestWorker worker = AddGreetedWorker();
    const size_t line = net.lines();
    EXPECT_TRUE(Tracked(Connect(&worker, "192.0.2.1", mode)));
    EXPECT_TRUE(AwaitHolders(line, 1)) << "the broker's";
  }
}

TEST_F(SessionTrackTest, OneWhoseHandshakeTakesTime) {
  TestWorker worker = AddGreetedWorker();
  Handshake(&worker, kConnected);
  Handshake(&worker, kInProgress);
  // The worker has closed its own.
  EXPECT_TRUE(AwaitHolders(0, 1));
  EXPECT_TRUE(AwaitHolders(1, 1)) << "no other duplicate than the handshake's";
  Do([&] { shutdown(net.line(1).far_side.get(), SHUT_RDWR); });
  EXPECT_TRUE(AwaitHolders(1, 0));
  ASSERT_EQ(Audit("connection").size(), 1U);
  EXPECT_EQ(Audit("connection")[0].at("request"), 3);
  EXPECT_EQ(Audit("completion").size(), 2U);
}

TEST_F(SessionTrackTest, NothingIsKeptOfOthers) {
  Rule udp = *Rule::Parse(Decision::kAllow, "192.0.2.0/24:*");
  udp.transports = Transports::Both();
  role.policy = Policy({udp});
  role.limits.max_connections = 1;
  TestWorker worker = AddGreetedWorker();
  ConnectRequest request = ConnectTo();
  request.transport = Transport::kDatagram;
  net.UsualAnswers({0});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Tracked(worker.Ask(request)));
  Do([&] { role.track = false; });
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Tracked(worker.Ask(ConnectTo())));
  Do([&] {
    for (size_t i = 0; i < 6; ++i) EXPECT_EQ(net.Holders(i), 0U) << i;
  });
  worker.Close();
  ASSERT_TRUE(AwaitChannels(0));
  EXPECT_TRUE(ClosedBy().empty());
}

TEST_F(SessionTrackTest, AHandshakeThatFailsIsNotTracked) {
  TestWorker worker = AddGreetedWorker();
  for (const ConnectMode mode : {kConnected, kInProgress}) {
    const size_t line = net.lines();
    worker.Send(ConnectTo("192.0.2.1", 443, mode));
    ASSERT_TRUE(AwaitLines(line + 1));
    if (mode == kInProgress) worker.Receive();
    Do([&] { net.Break(line, ECONNREFUSED); });
    if (mode == kConnected) {
      EXPECT_FALSE(Tracked(worker.Receive()));
    }
    EXPECT_TRUE(AwaitHolders(line, 0));
  }
  // One that has failed when the reply goes out.
  Do([&] { net.NextLook(Handshake::kFailed); });
  EXPECT_FALSE(Tracked(worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress))));
  EXPECT_TRUE(ClosedBy().empty());
}

TEST_F(SessionTrackTest, WhatCannotBeWatchedIsNotHandedOut) {
  TestWorker worker = AddGreetedWorker();
  Do([&] {
    net.NextAnswers({0});
    net.NextCannotBeWatched();
  });
  const Result result = worker.Ask(ConnectTo()).result();
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_EQ(result.error, static_cast<uint32_t>(EPERM));
  EXPECT_EQ(Audit("completion").back().at("errno"), EPERM);
}

TEST_F(SessionTrackTest, NoMoreThanTheRoleAllowsWithThoseThatArePending) {
  role.limits.max_connections = 2;
  TestWorker worker = AddGreetedWorker();
  TestWorker second(worker.Ask(OpenChannelRequest()).descriptor);
  Connect(&worker);
  worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  for (TestWorker* channel : {&worker, &second}) {
    const Result result = channel->Ask(ConnectTo()).result();
    EXPECT_EQ(result.outcome, Outcome::kLimited);
    EXPECT_EQ(result.reason, Reason::kConnections);
    EXPECT_EQ(result.rule, 1U);
    EXPECT_GE(result.retry_after_ms, 1U);
  }
  EXPECT_EQ(Audit("completion").back().at("reason"), "too-many-connections");
  EXPECT_EQ(second.Ask(ConnectTo("192.0.2.66")).result().outcome, Outcome::kDenied);
  EXPECT_EQ(net.lines(), 2U);
  TestWorker other = AddGreetedWorker();
  Connect(&other);
  // One that ends makes room, whichever it is.
  Do([&] { net.Break(1, ECONNREFUSED); });
  ASSERT_TRUE(AwaitHolders(1, 0));
  Connect(&second);
  Do([&] { shutdown(net.line(0).far_side.get(), SHUT_RDWR); });
  ASSERT_TRUE(AwaitHolders(0, 0));
  Connect(&second);
}

// It closes without shutting down, so nobody hears of it.
TEST_F(SessionTrackTest, AWorkerThatOnlyClosesIsTheOneThatPays) {
  role.limits.max_connections = 3;
  TestWorker worker = AddGreetedWorker();
  for (int i = 0; i < 3; ++i) Connect(&worker);
  EXPECT_EQ(worker.Ask(ConnectTo()).result().reason, Reason::kConnections);
  worker.Close();
  ASSERT_TRUE(AwaitChannels(0));
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(AwaitHolders(i, 0));
  EXPECT_EQ(ClosedBy(), std::vector<std::string>(3, "worker-gone"));
}

TEST_F(SessionTrackTest, TheLastChannelsEndCutsWhatTheWorkerStillHolds) {
  TestWorker worker = AddGreetedWorker();
  TestWorker second(worker.Ask(OpenChannelRequest()).descriptor);
  const Answer held = Connect(&worker);
  worker.Close();
  ASSERT_TRUE(AwaitChannels(1));
  EXPECT_TRUE(ClosedBy().empty()) << "it has another channel";
  second.Close();
  ASSERT_TRUE(AwaitChannels(0));
  EXPECT_EQ(ClosedBy(), std::vector<std::string>{"worker-gone"});
  EXPECT_EQ(GiveUps(0), 1);
  EXPECT_TRUE(AwaitHolders(0, 1)) << "the worker's own";
}

TEST_F(SessionTrackTest, ABrokerThatStopsCutsNothing) {
  TestWorker worker = AddGreetedWorker();
  const Answer held = Connect(&worker);
  Do([&] { server.reset(); });
  EXPECT_EQ(ClosedBy(), std::vector<std::string>{"broker-stops"});
  EXPECT_EQ(GiveUps(0), 0);
}

TEST_F(SessionTrackTest, AReloadCutsWhatItDenies) {
  TestWorker worker = AddGreetedWorker();
  Connect(&worker, "192.0.2.1");
  Connect(&worker, "2001:db8::1");
  Adopt(RoleThatAllows("192.0.2.0/24:*"));
  ASSERT_EQ(ClosedBy(), std::vector<std::string>{"policy"});
  EXPECT_EQ(Audit("connection")[0].at("target"), "[2001:db8::1]:443");
  EXPECT_EQ(GiveUps(1), 1);
  EXPECT_EQ(GiveUps(0), 0);
  EXPECT_TRUE(AwaitHolders(0, 1));
}

TEST_F(SessionTrackTest, AReloadEndsHandshakesThatWouldBeTracked) {
  TestWorker worker = AddGreetedWorker();
  const Answer started = worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  worker.Send(ConnectTo("192.0.2.2"));
  ASSERT_TRUE(AwaitLines(2));
  Adopt(RoleThatAllows("198.51.100.0/24:*"));
  EXPECT_EQ(worker.Receive().result().error, static_cast<uint32_t>(ECANCELED));
  EXPECT_EQ(GiveUps(0), 1);
  EXPECT_TRUE(ClosedBy().empty()) << "they never were connections";
  EXPECT_EQ(Audit("completion").size(), 2U);
}

TEST_F(SessionTrackTest, WhatAReportOnlyWouldDenyGoesOn) {
  TestWorker worker = AddGreetedWorker();
  Connect(&worker);
  Role next = RoleThatAllows("198.51.100.0/24:*");
  next.policy = Policy(next.policy.rules(), PolicyMode::kReport);
  Adopt(next);
  EXPECT_TRUE(ClosedBy().empty());
  EXPECT_EQ(GiveUps(0), 0);
}

TEST_F(SessionTrackTest, ARoleThatIsGoneCutsEverything) {
  TestWorker worker = AddGreetedWorker();
  Connect(&worker);
  Role another = role;
  another.name = "another";
  Adopt(another);
  EXPECT_EQ(ClosedBy(), std::vector<std::string>{"policy"});
}

TEST_F(SessionTrackTest, ARoleThatDoesNotAdmitTheWorkerAnyMoreCutsEverything) {
  auto pair = MakeChannelPair();
  Do([&] {
    server->AddWorkerByPath(std::move(pair->broker), lent_role, {getpid(), getuid()},
                            ConfinedCheck());
  });
  TestWorker worker(std::move(pair->worker));
  worker.Greet();
  Connect(&worker);
  Role next = role;
  next.peers.uids = {getuid() + 1};
  Adopt(next);
  EXPECT_EQ(ClosedBy(), std::vector<std::string>{"policy"});
}

TEST_F(SessionTrackTest, ARoleThatTracksNoMoreLetsGoOfWhatItAllows) {
  TestWorker worker = AddGreetedWorker();
  Connect(&worker, "192.0.2.1");
  Connect(&worker, "2001:db8::1");
  worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  worker.Send(ConnectTo("192.0.2.1"));
  ASSERT_TRUE(AwaitLines(4));
  Role next = RoleThatAllows("192.0.2.0/24:*");
  next.track = false;
  Adopt(next);
  EXPECT_EQ(ClosedBy(), (std::vector<std::string>{"policy", "untracked"}));
  // Their handshakes go on, too, and are then nobody's but the worker's.
  Do([&] {
    net.Finish(2);
    net.Finish(3);
  });
  EXPECT_FALSE(Tracked(worker.Receive()));
  for (size_t i : {0, 2, 3}) EXPECT_TRUE(AwaitHolders(i, 0)) << i;
  EXPECT_EQ(GiveUps(0) + GiveUps(2) + GiveUps(3), 0);
  EXPECT_EQ(ClosedBy().size(), 2U);
  // And nothing is left in the count.
  next.track = true;
  next.limits.max_connections = 1;
  Adopt(next);
  Connect(&worker);
}

TEST_F(SessionTrackTest, RevokesByRoleWorkerAndTarget) {
  TestWorker one = AddGreetedWorker();
  TestWorker two = AddGreetedWorker();
  Connect(&one, "192.0.2.1");
  Connect(&one, "192.0.2.2");
  Connect(&two, "192.0.2.1");
  Connect(&two, "2001:db8::1");
  RevokeOrder order;
  order.role = "nobody";
  EXPECT_EQ(Revoke(order), 0U);
  order.role = "test";
  order.worker = 1;
  order.to = Cidr::Parse("192.0.2.2");
  EXPECT_EQ(Revoke(order), 1U);
  EXPECT_EQ(GiveUps(1), 1);
  order = {};
  order.worker = 2;
  EXPECT_EQ(Revoke(order), 2U);
  EXPECT_EQ(GiveUps(0), 0);
  EXPECT_EQ(Revoke({}), 1U);
  EXPECT_EQ(ClosedBy(), std::vector<std::string>(4, "revoked"));
}

// 192.0.2.1 by NAT64, by 6to4 and by itself; and 198.51.100.1.
TEST_F(SessionTrackTest, RevokesWhatLeadsThereByAnAddressThatEmbedsAnother) {
  Role wide = role;
  wide.policy = Policy({*Rule::Parse(Decision::kAllow, "[::/0]:*"),
                        *Rule::Parse(Decision::kAllow, "[64:ff9b::/96]:*"),
                        *Rule::Parse(Decision::kAllow, "[2002::/16]:*"),
                        *Rule::Parse(Decision::kAllow, "192.0.2.0/24:*"),
                        *Rule::Parse(Decision::kAllow, "198.51.100.0/24:*")});
  TestWorker worker = AddGreetedWorkerOf(std::make_shared<const Role>(wide));
  for (const char* address :
       {"64:ff9b::c000:201", "2002:c000:201::1", "::ffff:192.0.2.1", "64:ff9b::c633:6401"}) {
    Connect(&worker, address);
  }
  RevokeOrder order;
  order.to = Cidr::Parse("192.0.2.0/24");
  EXPECT_EQ(Revoke(order), 3U);
  order.to = Cidr::Parse("64:ff9b::/96");
  EXPECT_EQ(Revoke(order), 1U);
}

TEST_F(SessionTrackTest, RevokesHandshakesThatWouldBeTracked) {
  TestWorker worker = AddGreetedWorker();
  Role untracked = role;
  untracked.track = false;
  TestWorker other = AddGreetedWorkerOf(std::make_shared<const Role>(untracked));
  worker.Send(ConnectTo("192.0.2.1"));
  worker.Send(ConnectTo("192.0.2.2"));
  other.Send(ConnectTo("192.0.2.1"));
  ASSERT_TRUE(AwaitLines(3));
  RevokeOrder order;
  order.to = Cidr::Parse("192.0.2.1");
  EXPECT_EQ(Revoke(order), 1U);
  EXPECT_EQ(worker.Receive().result().error, static_cast<uint32_t>(ECANCELED));
  EXPECT_TRUE(worker.Quiet());
  EXPECT_TRUE(other.Quiet());
}

// Nothing that a worker leaves behind stays.
TEST_F(SessionTrackTest, ManyWorkersLeaveNoDescriptor) {
  const size_t before = *testing::OpenFdCount(getpid());
  for (int round = 0; round < 20; ++round) {
    TestWorker worker = AddGreetedWorker();
    for (int i = 0; i < 5; ++i)
      Connect(&worker, "192.0.2.1", i % 2 == 0 ? kConnected : kInProgress);
  }
  ASSERT_TRUE(AwaitChannels(0));
  // What the fake net keeps of each line.
  ASSERT_TRUE(Until([&] { return *testing::OpenFdCount(getpid()) <= before + net.lines(); }));
  EXPECT_EQ(ClosedBy().size(), 100U);
}

}  // namespace
}  // namespace sockgate
