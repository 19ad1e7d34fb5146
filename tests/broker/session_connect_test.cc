// The path of one connect request through a session: reply, descriptor, audit lines.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>

#include "broker/session.h"
#include "tests/broker/server_world.h"

namespace sockgate {
namespace {

using nlohmann::json;
using testing::Answer;
using testing::ConnectTo;
using testing::ServerWorld;
using testing::TestWorker;

constexpr ConnectMode kConnected = ConnectMode::kConnected;
constexpr ConnectMode kInProgress = ConnectMode::kInProgress;

class SessionConnectTest : public ::testing::Test, protected ServerWorld {
 protected:
  // The log without channel lines, each as "event outcome-or-verdict", in order.
  std::vector<std::string> Story() {
    std::vector<std::string> story;
    for (const json& line : Audit()) {
      if (line.at("event") == "channel") continue;
      const char* key = line.at("event") == "decision" ? "verdict" : "outcome";
      story.push_back(line.at("event").get<std::string>() + " " + line.at(key).get<std::string>());
    }
    return story;
  }
  bool AwaitStory(const std::vector<std::string>& expected) {
    for (int i = 0; i < 100 && Story() != expected; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(Story(), expected);
    return Story() == expected;
  }
};

TEST_F(SessionConnectTest, ConnectedAtOnce) {
  TestWorker worker = AddGreetedWorker();
  net.NextAnswers({EINPROGRESS, 0});
  Answer answer = worker.Ask(ConnectTo());
  EXPECT_EQ(answer.result().outcome, Outcome::kConnected);
  EXPECT_EQ(answer.result().rule, 1U);
  EXPECT_TRUE(AwaitStory({"decision allow", "completion connected"}));
  EXPECT_EQ(net.Holders(0), 1U) << "only the worker's";
}

TEST_F(SessionConnectTest, ConnectedAfterAWhile) {
  TestWorker worker = AddGreetedWorker();
  worker.Send(ConnectTo("2001:db8::1"));
  EXPECT_TRUE(worker.Quiet());
  EXPECT_TRUE(AwaitStory({"decision allow"}));
  Do([&] { net.Finish(0); });
  const Answer answer = worker.Receive();
  EXPECT_EQ(answer.result().outcome, Outcome::kConnected);
  EXPECT_EQ(answer.result().rule, 3U);
  EXPECT_TRUE(AwaitStory({"decision allow", "completion connected"}));
  EXPECT_EQ(net.Holders(0), 1U);
}

TEST_F(SessionConnectTest, FailedAtOnceAndAfterAWhile) {
  TestWorker worker = AddGreetedWorker();
  net.NextAnswers({EINPROGRESS, ECONNREFUSED});
  Answer answer = worker.Ask(ConnectTo());
  EXPECT_EQ(answer.result().outcome, Outcome::kFailed);
  EXPECT_EQ(answer.result().error, static_cast<uint32_t>(ECONNREFUSED));
  worker.Send(ConnectTo());
  ASSERT_TRUE(AwaitLines(2));
  Do([&] { net.Break(1, EHOSTUNREACH); });
  answer = worker.Receive();
  EXPECT_EQ(answer.result().error, static_cast<uint32_t>(EHOSTUNREACH));
  const auto completions = Audit("completion");
  ASSERT_EQ(completions.size(), 2U);
  EXPECT_EQ(completions[1].at("outcome"), "failed");
  EXPECT_EQ(completions[1].at("errno"), EHOSTUNREACH);
}

TEST_F(SessionConnectTest, TheDeadlineIsAnAnswer) {
  TestWorker worker = AddGreetedWorker();
  ConnectRequest request = ConnectTo();
  request.deadline_ms = 20;
  const Answer answer = worker.Ask(request);
  EXPECT_EQ(answer.result().outcome, Outcome::kFailed);
  EXPECT_EQ(answer.result().error, static_cast<uint32_t>(ETIMEDOUT));
  EXPECT_EQ(net.Holders(0), 0U);
}

TEST_F(SessionConnectTest, InProgressIsAnsweredAtOnceAndCompletedLater) {
  TestWorker worker = AddGreetedWorker();
  Answer answer = worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  EXPECT_EQ(answer.result().outcome, Outcome::kStarted);
  EXPECT_EQ(net.Holders(0), 2U) << "the worker's, and the broker's until the handshake ends";
  EXPECT_TRUE(AwaitStory({"decision allow"}));
  Do([&] { net.Finish(0); });
  EXPECT_TRUE(AwaitStory({"decision allow", "completion connected"}));
  EXPECT_EQ(net.line(0).connects, 2);
  EXPECT_EQ(net.Holders(0), 1U);
  EXPECT_TRUE(worker.Quiet()) << "it has had its reply";
}

TEST_F(SessionConnectTest, InProgressThatFailsLater) {
  TestWorker worker = AddGreetedWorker();
  const Answer answer = worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  Do([&] { net.Break(0, ECONNREFUSED); });
  EXPECT_TRUE(AwaitStory({"decision allow", "completion failed"}));
  EXPECT_FALSE(Audit("completion")[0].contains("errno")) << "only the worker's socket knows";
  EXPECT_EQ(net.Holders(0), 1U);
}

TEST_F(SessionConnectTest, InProgressThatHasFailedAlreadyIsStillStarted) {
  TestWorker worker = AddGreetedWorker();
  net.NextLook(Handshake::kFailed);
  const Answer answer = worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  EXPECT_EQ(answer.result().outcome, Outcome::kStarted);
  EXPECT_TRUE(AwaitStory({"decision allow", "completion failed"}));
  EXPECT_EQ(net.Holders(0), 1U);
}

TEST_F(SessionConnectTest, InProgressThatCouldNotBeginHasNoDescriptor) {
  TestWorker worker = AddGreetedWorker();
  net.NextAnswers({ENETUNREACH});
  const Answer answer = worker.Ask(ConnectTo("192.0.2.1", 443, kInProgress));
  EXPECT_EQ(answer.result().outcome, Outcome::kFailed);
  EXPECT_EQ(answer.result().error, static_cast<uint32_t>(ENETUNREACH));
  EXPECT_TRUE(AwaitStory({"decision allow", "completion failed"}));
}

// The broker's own trouble must not look like the network's.
TEST_F(SessionConnectTest, NoDescriptorLeftIsALimit) {
  TestWorker worker = AddGreetedWorker();
  net.NextOpenFails(EMFILE);
  const Result result = worker.Ask(ConnectTo()).result();
  EXPECT_EQ(result.outcome, Outcome::kLimited);
  EXPECT_EQ(result.reason, Reason::kDescriptors);
  EXPECT_TRUE(AwaitStory({"decision allow", "completion limited"}));
  net.NextAnswers({EINPROGRESS, 0});
  EXPECT_EQ(worker.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
}

TEST_F(SessionConnectTest, WhatTheRulesRefuseNeverReachesTheNetwork) {
  TestWorker worker = AddGreetedWorker();
  ConnectRequest datagram = ConnectTo();
  datagram.transport = Transport::kDatagram;
  ConnectRequest local;
  local.deadline_ms = 1;
  local.endpoint = *Endpoint::Unix("/run/docker.sock");
  const struct {
    ConnectRequest request;
    Reason reason;
    uint32_t rule;
  } cases[] = {
      {ConnectTo("192.0.2.66"), Reason::kDenyRule, 2},
      {ConnectTo("198.51.100.1"), Reason::kNoRuleMatches, 0},
      {ConnectTo("::ffff:192.0.2.66"), Reason::kDenyRule, 2},
      {datagram, Reason::kTransport, 0},
      {local, Reason::kNoRuleMatches, 0},
  };
  for (const auto& one : cases) {
    const Result result = worker.Ask(one.request).result();
    EXPECT_EQ(result.outcome, Outcome::kDenied);
    EXPECT_EQ(result.reason, one.reason);
    EXPECT_EQ(result.rule, one.rule);
  }
  EXPECT_EQ(net.lines(), 0U);
  EXPECT_EQ(Audit("decision").size(), 5U);
  EXPECT_EQ(Audit("completion").size(), 0U);
}

TEST_F(SessionConnectTest, PortZeroIsABadRequest) {
  TestWorker worker = AddGreetedWorker();
  const Result result = worker.Ask(ConnectTo("192.0.2.1", 0)).result();
  EXPECT_EQ(result.outcome, Outcome::kBadRequest);
  EXPECT_EQ(result.reason, Reason::kPortZero);
  EXPECT_TRUE(AwaitStory({"completion bad-request"}));
  EXPECT_EQ(net.lines(), 0U);
}

// The last to begin is the first to end.
TEST_F(SessionConnectTest, RepliesComeInTheOrderOfCompletion) {
  TestWorker worker = AddGreetedWorker();
  std::vector<uint32_t> ids;
  for (int i = 0; i < 200; ++i) ids.push_back(worker.Send(ConnectTo()));
  ASSERT_TRUE(AwaitLines(200));
  for (size_t i = 200; i-- > 0;) {
    Do([&] { net.Finish(i); });
    const Answer answer = worker.Receive();
    EXPECT_EQ(answer.reply.id, ids[i]);
    EXPECT_EQ(testing::OpenObject::Of(answer.descriptor.get()).inode, net.line(i).near_side.inode)
        << "the reply's own socket";
  }
}

// A channel that cannot take its reply ends, but not before the log has the story in order.
TEST_F(SessionConnectTest, AWorkerThatGoesBeforeItsReplyLeavesWholeLines) {
  for (const ConnectMode mode : {kConnected, kInProgress}) {
    TestWorker worker = AddGreetedWorker();
    // The loop stands still while the worker sends its last wish and shuts its ear.
    Do([&] {
      worker.Send(ConnectTo("192.0.2.1", 443, mode));
      shutdown(worker.descriptor(), SHUT_RD);
      if (mode == kConnected) net.NextAnswers({EINPROGRESS, 0});
    });
    EXPECT_TRUE(AwaitChannels(0));
  }
  std::vector<std::string> story;
  for (const json& line : Audit()) story.push_back(line.value("change", line.at("event")));
  const std::vector<std::string> whole = {"opened", "decision", "completion", "closed"};
  EXPECT_EQ(std::vector<std::string>(story.begin(), story.begin() + 4), whole);
  // In in-progress mode the reply was all that the worker waited for; the handshake ends with it.
  const std::vector<std::string> cancelled = {"opened", "decision", "closed", "completion"};
  EXPECT_EQ(std::vector<std::string>(story.begin() + 4, story.end()), cancelled);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(net.Holders(i), 0U);
}

}  // namespace
}  // namespace sockgate
