// What a role says besides its rules, on the path of one request: options, rate, deadline,
// confinement, report mode.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "broker/session.h"
#include "proto/packet_socket.h"
#include "tests/broker/server_world.h"

namespace sockgate {
namespace {

using nlohmann::json;
using testing::Answer;
using testing::ConnectTo;
using testing::RequestBody;
using testing::ServerWorld;
using testing::TestWorker;

class SessionRoleTest : public ::testing::Test, protected ServerWorld {
 protected:
  // The last line of this kind.
  json Last(const std::string& event) {
    const auto lines = Audit(event);
    return lines.empty() ? json() : lines.back();
  }

  // Two requests on each channel, all of them there when the broker takes the first: so no time
  // passes in which a bucket could fill. How many were connected; the others met the rate.
  int ConnectedOfTwoEach(std::vector<TestWorker*> channels) {
    Do([&] {
      for (TestWorker* channel : channels) {
        for (int i = 0; i < 2; ++i) channel->Send(ConnectTo());
      }
    });
    int connected = 0;
    for (TestWorker* channel : channels) {
      for (int i = 0; i < 2; ++i) {
        limited_ = channel->Receive().result();
        if (limited_.outcome == Outcome::kConnected) {
          ++connected;
        } else {
          EXPECT_EQ(limited_.reason, Reason::kRate);
        }
      }
    }
    return connected;
  }

  Result limited_;  // the last of them
};

TEST_F(SessionRoleTest, TheRolesOptionsReachTheSocket) {
  role.socket_options.mark = 77;
  role.socket_options.interface = "eth7";
  TestWorker worker = AddGreetedWorker();
  net.NextAnswers({0});
  EXPECT_EQ(worker.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
  Do([&] {
    EXPECT_EQ(net.line(0).options.mark, 77U);
    EXPECT_EQ(net.line(0).options.interface, "eth7");
    EXPECT_EQ(net.line(0).transport, Transport::kStream);
  });
}

// No device, no privilege, no such source address, no such algorithm, no such number.
TEST_F(SessionRoleTest, AnOptionThatTheKernelRefusesFailsTheRequest) {
  TestWorker worker = AddGreetedWorker();
  for (const ConnectMode mode : {ConnectMode::kConnected, ConnectMode::kInProgress}) {
    for (const int error : {ENODEV, EPERM, EADDRNOTAVAIL, ENOENT, EINVAL}) {
      Do([&] { net.NextOpenFails(error); });
      const Result result = worker.Ask(ConnectTo("192.0.2.1", 443, mode)).result();
      EXPECT_EQ(result.outcome, Outcome::kFailed);
      EXPECT_EQ(result.error, static_cast<uint32_t>(error));
      EXPECT_EQ(result.rule, 1U);
      EXPECT_EQ(Last("completion").at("errno"), error);
    }
  }
  EXPECT_EQ(net.lines(), 0U) << "nothing was connected";
}

TEST_F(SessionRoleTest, ADatagramSocketWhereARuleNamesUdp) {
  Rule rule = *Rule::Parse(Decision::kAllow, "192.0.2.0/24:53");
  rule.transports = Transports::Udp();
  role.policy = Policy({rule});
  TestWorker worker = AddGreetedWorker();
  ConnectRequest request = ConnectTo("192.0.2.1", 53);
  EXPECT_EQ(worker.Ask(request).result().outcome, Outcome::kDenied);
  request.transport = Transport::kDatagram;
  net.NextAnswers({0});
  EXPECT_EQ(worker.Ask(request).result().outcome, Outcome::kConnected);
  Do([&] { EXPECT_EQ(net.line(0).transport, Transport::kDatagram); });
}

TEST_F(SessionRoleTest, MoreInASecondThanTheRateAllows) {
  role.limits.connects_per_second = 1;
  role.limits.connect_burst = 2;
  net.UsualAnswers({0});
  TestWorker worker = AddGreetedWorker();
  TestWorker second(worker.Ask(OpenChannelRequest()).descriptor);
  EXPECT_EQ(ConnectedOfTwoEach({&worker, &second}), 2) << "of the worker, not of one channel";
  EXPECT_EQ(limited_.outcome, Outcome::kLimited);
  EXPECT_EQ(limited_.rule, 1U);
  EXPECT_GE(limited_.retry_after_ms, 1U);
  EXPECT_LE(limited_.retry_after_ms, 1000U);
  EXPECT_EQ(net.lines(), 2U);
  EXPECT_EQ(Last("decision").at("verdict"), "allow");
  EXPECT_EQ(Last("completion").at("reason"), "too-many-per-second");

  TestWorker other = AddGreetedWorker();
  EXPECT_EQ(other.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
  std::this_thread::sleep_for(std::chrono::milliseconds(limited_.retry_after_ms));
  EXPECT_EQ(worker.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
}

TEST_F(SessionRoleTest, AnotherRateHoldsFromTheNextRequestOn) {
  role.limits.connects_per_second = 1;
  role.limits.connect_burst = 1;
  net.UsualAnswers({0});
  TestWorker worker = AddGreetedWorker();
  EXPECT_EQ(ConnectedOfTwoEach({&worker}), 1);
  Do([&] { role.limits.connects_per_second = 1000; });
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(worker.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
  Do([&] { role.limits.connects_per_second = 0; });
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(worker.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
  }
}

TEST_F(SessionRoleTest, WhatIsDeniedCostsNothingOfTheRate) {
  role.limits.connects_per_second = 1;
  role.limits.connect_burst = 1;
  net.UsualAnswers({0});
  TestWorker worker = AddGreetedWorker();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(worker.Ask(ConnectTo("192.0.2.66")).result().outcome, Outcome::kDenied);
  }
  EXPECT_EQ(worker.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
}

TEST_F(SessionRoleTest, TheWorkersDeadlineIsCutToTheRoles) {
  role.limits.max_deadline_ms = 20;
  TestWorker worker = AddGreetedWorker();
  ConnectRequest request = ConnectTo();
  request.deadline_ms = kMaxDeadlineMs;
  const Result result = worker.Ask(request).result();
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_EQ(result.error, static_cast<uint32_t>(ETIMEDOUT));
  EXPECT_GE(Last("completion").at("connect_us"), 20'000);
}

TEST_F(SessionRoleTest, AShorterDeadlineStaysTheWorkers) {
  role.limits.max_deadline_ms = 100'000;
  TestWorker worker = AddGreetedWorker();
  ConnectRequest request = ConnectTo();
  request.deadline_ms = 20;
  EXPECT_EQ(worker.Ask(request).result().error, static_cast<uint32_t>(ETIMEDOUT));
}

TEST_F(SessionRoleTest, ReportModeLetsThroughAndSaysWhatItWouldHaveDone) {
  role.policy = Policy(role.policy.rules(), PolicyMode::kReport);
  net.UsualAnswers({0});
  TestWorker worker = AddGreetedWorker();
  const struct {
    const char* address;
    const char* verdict;
    const char* reason;
    uint32_t rule;
  } cases[] = {
      {"192.0.2.1", "allow", "none", 1},
      {"192.0.2.66", "would-deny", "deny-rule", 2},
      {"198.51.100.1", "would-deny", "no-rule-matches", 0},
  };
  for (const auto& one : cases) {
    const Answer answer = worker.Ask(ConnectTo(one.address));
    EXPECT_EQ(answer.result().outcome, Outcome::kConnected) << one.address;
    EXPECT_EQ(answer.result().rule, one.rule);
    const json line = Last("decision");
    EXPECT_EQ(line.at("verdict"), one.verdict);
    EXPECT_EQ(line.at("reason"), one.reason);
    EXPECT_EQ(line.at("rule"), one.rule);
  }
  EXPECT_EQ(worker.Ask(ConnectTo("0.0.0.0")).result().outcome, Outcome::kDenied)
      << "no rule could allow that";
}

class NotConfinedTest : public SessionRoleTest {
 protected:
  NotConfinedTest() { role.require_confined = true; }

  // A worker of this process, which has no filter, as if it had come by a path.
  TestWorker AddWorkerByPath() {
    auto pair = MakeChannelPair();
    ConfinedCheck check = ConfinedCheck::OfPeer(pair->broker.get(), getpid());
    Do([&] {
      server->AddWorkerByPath(std::move(pair->broker), lent_role, {getpid(), getuid()},
                              std::move(check));
    });
    TestWorker worker(std::move(pair->worker));
    worker.Greet();
    return worker;
  }
};

TEST_F(NotConfinedTest, NothingIsDecidedForAWorkerThatShowsNoFilter) {
  TestWorker worker = AddWorkerByPath();
  for (const char* address : {"192.0.2.1", "192.0.2.66"}) {
    const Result result = worker.Ask(ConnectTo(address)).result();
    EXPECT_EQ(result.outcome, Outcome::kDenied);
    EXPECT_EQ(result.reason, Reason::kNotConfined);
    EXPECT_EQ(result.rule, 0U);
    EXPECT_EQ(Last("decision").at("verdict"), "deny");
    EXPECT_EQ(Last("decision").at("reason"), "not-confined");
  }
  EXPECT_EQ(net.lines(), 0U);
}

// However many connections one process makes: each is looked at once in a pause, and all of them
// within the broker's budget. Who is not looked at for lack of time is not denied.
TEST_F(NotConfinedTest, OverTheBudgetNobodyIsLookedAt) {
  TestWorker early = AddWorkerByPath();
  EXPECT_EQ(early.Ask(ConnectTo()).result().outcome, Outcome::kDenied);
  uint64_t looks = 0;
  Do([&] {
    // As if that had taken hours.
    for (int i = 0; i < 10'000; ++i) {
      server->looks().Spend(EventLoop::Now(), std::chrono::seconds(1));
    }
    looks = server->looks().looks();
  });
  for (int i = 0; i < 20; ++i) {
    TestWorker worker = AddWorkerByPath();
    for (const RequestBody& body : {RequestBody(ConnectTo()), RequestBody(OpenChannelRequest())}) {
      const Result result = worker.Ask(body).result();
      EXPECT_EQ(result.outcome, Outcome::kLimited);
      EXPECT_EQ(result.reason, Reason::kRate);
      EXPECT_GE(result.retry_after_ms, 1U);
    }
  }
  Do([&] { EXPECT_EQ(server->looks().looks(), looks); });
  EXPECT_EQ(Last("completion").at("reason"), "too-many-per-second");
  EXPECT_EQ(AuditDetail("not-opened"), "too-many-per-second");
  EXPECT_EQ(Audit("decision").size(), 1U);
  TestWorker launched = AddGreetedWorker();
  net.UsualAnswers({0});
  EXPECT_EQ(launched.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
}

TEST_F(NotConfinedTest, NorDoesItGetAChannel) {
  TestWorker worker = AddWorkerByPath();
  const Result result = worker.Ask(OpenChannelRequest()).result();
  EXPECT_EQ(result.outcome, Outcome::kDenied);
  EXPECT_EQ(result.reason, Reason::kNotConfined);
  EXPECT_EQ(AuditDetail("not-opened"), "not-confined");
}

TEST_F(NotConfinedTest, ReportModeDoesNotMakeUpForIt) {
  role.policy = Policy(role.policy.rules(), PolicyMode::kReport);
  TestWorker worker = AddWorkerByPath();
  EXPECT_EQ(worker.Ask(ConnectTo()).result().reason, Reason::kNotConfined);
}

TEST_F(NotConfinedTest, ALaunchersWorkerIsNotAsked) {
  net.UsualAnswers({0});
  TestWorker worker = AddGreetedWorker();
  EXPECT_EQ(worker.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
}

TEST_F(NotConfinedTest, NorIsAnyoneWhereTheRoleDoesNotAsk) {
  role.require_confined = false;
  net.UsualAnswers({0});
  TestWorker worker = AddWorkerByPath();
  EXPECT_EQ(worker.Ask(ConnectTo()).result().outcome, Outcome::kConnected);
}

}  // namespace
}  // namespace sockgate
