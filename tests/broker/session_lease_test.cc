// Connecting to what a name led to: by its rules, for its time, and for this worker only.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/broker/lookup_world.h"

namespace sockgate {
namespace {

using testing::Answer;
using testing::ConnectTo;
using ::testing::ElementsAre;
using testing::LookupWorld;
using testing::Resolve;
using testing::TestWorker;

class SessionLeaseTest : public ::testing::Test, protected LookupWorld {
 protected:
  Result Connect(TestWorker* worker, const char* address, uint16_t port = 443) {
    return worker->Ask(ConnectTo(address, port)).result();
  }
};

TEST_F(SessionLeaseTest, AnAddressIsReachedByTheNameThatLedToIt) {
  TestWorker worker = AddGreetedWorker();
  EXPECT_EQ(Connect(&worker, "9.9.9.9").outcome, Outcome::kDenied) << "not before";
  AskAndFind(&worker, "www.example.com", 0, {"9.9.9.9"});
  EXPECT_EQ(Connect(&worker, "9.9.9.9").outcome, Outcome::kConnected);
  EXPECT_THAT(Last("decision").at("names"), ElementsAre("www.example.com"));
  EXPECT_EQ(Last("decision").at("rule"), 1);
  EXPECT_EQ(Connect(&worker, "9.9.9.9", 80).outcome, Outcome::kDenied);
  EXPECT_EQ(Connect(&worker, "9.9.9.8").outcome, Outcome::kDenied);
  EXPECT_FALSE(Last("decision").contains("names"));
}

TEST_F(SessionLeaseTest, BothFamiliesAreLeasedWhicheverWasAskedFor) {
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "www.example.com", 0, {"9.9.9.9", "2620:fe::fe"}, 60, NameFamily::kIpv4);
  EXPECT_EQ(Connect(&worker, "2620:fe::fe").outcome, Outcome::kConnected);
}

TEST_F(SessionLeaseTest, ALeaseIsTheWorkersOfAllItsChannelsAndOfNoOther) {
  TestWorker worker = AddGreetedWorker();
  TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
  TestWorker other = AddGreetedWorker();
  AskAndFind(&worker, "www.example.com", 0, {"9.9.9.9"});
  EXPECT_EQ(Connect(&minted, "9.9.9.9").outcome, Outcome::kConnected);
  EXPECT_EQ(Connect(&other, "9.9.9.9").outcome, Outcome::kDenied);
}

TEST_F(SessionLeaseTest, ALogLineNamesAFewOfManyNames) {
  TestWorker worker = AddGreetedWorker();
  for (size_t i = 0; i < 6; ++i) {
    AskAndFind(&worker, std::string(1, static_cast<char>('a' + i)) + ".example.com", i,
               {"9.9.9.9"});
  }
  EXPECT_EQ(Connect(&worker, "9.9.9.9").outcome, Outcome::kConnected);
  EXPECT_THAT(Last("decision").at("names"),
              ElementsAre("a.example.com", "f.example.com", "e.example.com", "d.example.com"));
  EXPECT_EQ(Last("decision").at("more_names"), 2);
}

TEST_F(SessionLeaseTest, ALogLineNamesTheOneThatDecided) {
  role.policy = Policy({OnHost(Decision::kAllow, "*.example.com", "443"),
                        OnHost(Decision::kAllow, "late.example.org", "22")});
  TestWorker worker = AddGreetedWorker();
  for (size_t i = 0; i < 6; ++i) {
    AskAndFind(&worker, std::string(1, static_cast<char>('a' + i)) + ".example.com", i,
               {"9.9.9.9"});
  }
  AskAndFind(&worker, "late.example.org", 6, {"9.9.9.9"});
  AskAndFind(&worker, "g.example.com", 7, {"9.9.9.9"});
  EXPECT_EQ(worker.Ask(ConnectTo("9.9.9.9", 22)).result().outcome, Outcome::kConnected);
  EXPECT_EQ(Last("decision").at("names").at(0), "late.example.org");
  EXPECT_EQ(Last("decision").at("names").at(1), "g.example.com");
  EXPECT_EQ(Last("decision").at("rule"), 2);
}

TEST_F(SessionLeaseTest, WhatIsNotKeptIsLeasedForASecondAllTheSame) {
  role.limits.lease_grace_ms = 0;
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "www.example.com", 0, {"9.9.9.9"}, 0);
  EXPECT_EQ(Connect(&worker, "9.9.9.9").outcome, Outcome::kConnected);
}

TEST_F(SessionLeaseTest, ADroppedAddressIsNotLeased) {
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "www.example.com", 0, {"10.0.0.1", "9.9.9.9"});
  EXPECT_EQ(Connect(&worker, "10.0.0.1").outcome, Outcome::kDenied);
  EXPECT_FALSE(Last("decision").contains("names"));
}

// The classic attack: a public address passes the check, and what is connected to is another one.
TEST_F(SessionLeaseTest, ANameThatIsReboundNeverReachesALoopbackAddress) {
  TestWorker worker = AddGreetedWorker();
  EXPECT_THAT(AskAndFind(&worker, "www.example.com", 0, {"9.9.9.9"}, 0).addresses(),
              ElementsAre("9.9.9.9"));
  EXPECT_EQ(Connect(&worker, "127.0.0.1").outcome, Outcome::kDenied);
  const Answer rebound = AskAndFind(&worker, "www.example.com", 1, {"127.0.0.1"}, 0);
  EXPECT_EQ(rebound.result().outcome, Outcome::kDenied);
  EXPECT_EQ(rebound.result().reason, Reason::kSpecialPurpose);
  for (const uint16_t port : {443, 80, 22}) {
    EXPECT_EQ(Connect(&worker, "127.0.0.1", port).outcome, Outcome::kDenied);
  }
  EXPECT_EQ(Connect(&worker, "9.9.9.9").outcome, Outcome::kConnected) << "the first has its grace";
  Do([&] {
    ASSERT_EQ(net.lines(), 1U);
    EXPECT_EQ(net.line(0).endpoint.ip().ToString(), "9.9.9.9");
  });
}

TEST_F(SessionLeaseTest, ALeaseEndsAfterItsTimeAndItsGrace) {
  role.limits.lease_grace_ms = 50;
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "www.example.com", 0, {"9.9.9.9"}, 0);
  EXPECT_EQ(Connect(&worker, "9.9.9.9").outcome, Outcome::kConnected);
  std::this_thread::sleep_for(std::chrono::milliseconds(1060));
  EXPECT_EQ(Connect(&worker, "9.9.9.9").outcome, Outcome::kDenied);
  AskAndFind(&worker, "www.example.com", 1, {"9.9.9.9"}, 60);
  std::this_thread::sleep_for(std::chrono::milliseconds(1060));
  EXPECT_EQ(Connect(&worker, "9.9.9.9").outcome, Outcome::kConnected);
}

TEST_F(SessionLeaseTest, WhenThereAreTooManyTheOldestGoes) {
  role.limits.max_leases = 2;
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "www.example.com", 0, {"9.9.9.1", "9.9.9.2", "9.9.9.3"});
  EXPECT_EQ(Connect(&worker, "9.9.9.1").outcome, Outcome::kDenied);
  EXPECT_EQ(Connect(&worker, "9.9.9.2").outcome, Outcome::kConnected);
  EXPECT_EQ(Connect(&worker, "9.9.9.3").outcome, Outcome::kConnected);
}

TEST_F(SessionLeaseTest, AnotherPolicyJudgesTheSameLease) {
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "www.example.com", 0, {"9.9.9.9"});
  EXPECT_EQ(Connect(&worker, "9.9.9.9").outcome, Outcome::kConnected);
  Do([&] { role.policy = Policy({OnHost(Decision::kDeny, "www.example.com")}); });
  const Result denied = Connect(&worker, "9.9.9.9");
  EXPECT_EQ(denied.outcome, Outcome::kDenied);
  EXPECT_EQ(denied.reason, Reason::kDenyRule);
  Do([&] { role.policy = Policy({OnHost(Decision::kAllow, "*.example.com", "80")}); });
  EXPECT_EQ(Connect(&worker, "9.9.9.9").outcome, Outcome::kDenied);
  EXPECT_EQ(Connect(&worker, "9.9.9.9", 80).outcome, Outcome::kConnected);
}

TEST_F(SessionLeaseTest, ADeniedNameOfAnAddressDeniesIt) {
  role.policy = Policy({OnHost(Decision::kAllow, "*.example.com"),
                        OnHost(Decision::kDeny, "half.example.com", "25")});
  TestWorker worker = AddGreetedWorker();
  AskAndFind(&worker, "www.example.com", 0, {"9.9.9.9"});
  EXPECT_EQ(Connect(&worker, "9.9.9.9", 25).outcome, Outcome::kConnected);
  AskAndFind(&worker, "half.example.com", 1, {"9.9.9.9"});
  EXPECT_EQ(Connect(&worker, "9.9.9.9", 25).reason, Reason::kDenyRule);
  EXPECT_EQ(Connect(&worker, "9.9.9.9", 443).outcome, Outcome::kConnected);
}

}  // namespace
}  // namespace sockgate
