// Which message is legal when, and under which id.

#include <gtest/gtest.h>

#include "broker/session.h"
#include "tests/broker/server_world.h"

namespace sockgate {
namespace {

using testing::Answer;
using testing::ConnectTo;
using testing::Encoded;
using testing::RequestBody;
using testing::ServerWorld;
using testing::TestWorker;

enum class When { kBeforeHello, kAfterHello, kOnAMintedChannel };

struct OrderCase {
  When when;
  RequestBody body;
  bool legal;
};

ResolveRequest AnyResolve() {
  ResolveRequest resolve;
  resolve.name = "example.com";
  return resolve;
}

class SessionOrderTest : public ::testing::Test, protected ServerWorld {
 protected:
  TestWorker WorkerAt(When when) {
    if (when == When::kBeforeHello) return AddWorker();
    TestWorker worker = AddGreetedWorker();
    if (when == When::kAfterHello) return worker;
    first_channels_.push_back(std::move(worker));
    return TestWorker(first_channels_.back().Ask(OpenChannelRequest()).descriptor);
  }

 private:
  std::vector<TestWorker> first_channels_;
};

TEST_F(SessionOrderTest, EveryMessageInEveryPhase) {
  const OrderCase cases[] = {
      {When::kBeforeHello, Hello(), true},
      {When::kBeforeHello, ConnectTo(), false},
      {When::kBeforeHello, AnyResolve(), false},
      {When::kBeforeHello, OpenChannelRequest(), false},
      {When::kAfterHello, Hello(), false},
      {When::kAfterHello, ConnectTo("192.0.2.66"), true},
      {When::kAfterHello, AnyResolve(), true},
      {When::kAfterHello, OpenChannelRequest(), true},
      {When::kOnAMintedChannel, Hello(), false},
      {When::kOnAMintedChannel, ConnectTo("192.0.2.66"), true},
      {When::kOnAMintedChannel, AnyResolve(), true},
      {When::kOnAMintedChannel, OpenChannelRequest(), true},
  };
  for (const OrderCase& one : cases) {
    SCOPED_TRACE(static_cast<int>(one.when) * 10 + static_cast<int>(one.body.index()));
    TestWorker worker = WorkerAt(one.when);
    if (one.legal) {
      worker.Ask(one.body);
      EXPECT_TRUE(worker.Quiet());
    } else {
      worker.Send(one.body);
      EXPECT_TRUE(worker.Closed());
      EXPECT_EQ(AuditDetail("violation"), "out of order");
    }
  }
  size_t illegal = 0;
  for (const OrderCase& one : cases) illegal += one.legal ? 0 : 1;
  size_t violations = 0;
  for (const auto& line : Audit("channel")) violations += line.at("change") == "violation" ? 1 : 0;
  EXPECT_EQ(violations, illegal);
  EXPECT_EQ(net.lines(), 0U);
}

TEST_F(SessionOrderTest, TheFirstIdIsOne) {
  for (const uint32_t id : {0U, 2U, 0xffffffffU}) {
    TestWorker worker = AddWorker();
    worker.SendBytes(Encoded(id, Hello()));
    EXPECT_TRUE(worker.Closed());
    EXPECT_EQ(AuditDetail("violation"), "id");
  }
}

TEST_F(SessionOrderTest, AnIdIsOneMoreThanTheLast) {
  for (const uint32_t id : {0U, 1U, 2U, 4U, 0x10003U}) {
    TestWorker worker = AddGreetedWorker();
    worker.Ask(ConnectTo("192.0.2.66"));
    worker.SendBytes(Encoded(id, ConnectTo()));
    EXPECT_TRUE(worker.Closed()) << id;
    EXPECT_EQ(AuditDetail("violation"), "id");
  }
  EXPECT_EQ(net.lines(), 0U);
}

TEST_F(SessionOrderTest, IdsOfAMintedChannelBeginAtOneAgain) {
  TestWorker worker = WorkerAt(When::kOnAMintedChannel);
  EXPECT_EQ(worker.Ask(ConnectTo("192.0.2.66")).reply.id, 1U);
}

TEST_F(SessionOrderTest, ARepeatedPacketStartsNothing) {
  TestWorker worker = AddGreetedWorker();
  worker.Send(ConnectTo());
  worker.SendBytes(Encoded(2, ConnectTo()));
  EXPECT_TRUE(worker.Closed());
  EXPECT_TRUE(Until([&] { return net.lines() == 1 && net.Holders(0) == 0; }));
}

TEST_F(SessionOrderTest, HelloSaysWhatHolds) {
  role.limits.max_outstanding = 9;
  TestWorker worker = AddWorker();
  Hello hello;
  hello.newest_version = 99;
  hello.capabilities = 0xffffffff;
  const auto reply = std::get<HelloReply>(worker.Ask(hello).reply.body);
  EXPECT_EQ(reply.version, kNewestVersion);
  EXPECT_EQ(reply.max_outstanding, 9);
  EXPECT_EQ(reply.capabilities, 0U);
}

TEST_F(SessionOrderTest, AWorkerFromTheFutureIsToldAndLet) {
  TestWorker worker = AddWorker();
  Hello hello;
  hello.oldest_version = kNewestVersion + 1;
  hello.newest_version = kNewestVersion + 2;
  EXPECT_EQ(std::get<HelloReply>(worker.Ask(hello).reply.body).version, 0);
  EXPECT_TRUE(worker.Closed());
  EXPECT_EQ(AuditDetail("violation"), "no common version");
}

TEST_F(SessionOrderTest, ResolveIsNotGrantedWithoutAResolver) {
  TestWorker worker = AddWorker();
  Hello hello;
  hello.capabilities = UINT32_MAX;
  EXPECT_EQ(std::get<HelloReply>(worker.Ask(hello).reply.body).capabilities, 0U);
  const auto reply = std::get<ResolveReply>(worker.Ask(AnyResolve()).reply.body);
  EXPECT_EQ(reply.result.outcome, Outcome::kFailed);
  EXPECT_EQ(reply.result.error, static_cast<uint32_t>(EOPNOTSUPP));
}

}  // namespace
}  // namespace sockgate
