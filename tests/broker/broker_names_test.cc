// A broker process with a real resolver, from the hosts file to the connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>

#include "broker/broker_process.h"
#include "broker/policy/host_pattern.h"
#include "tests/broker/temp_folder.h"
#include "tests/broker/test_worker.h"
#include "tests/support/loopback_tcp.h"

namespace sockgate {
namespace {

using testing::Answer;
using testing::ConnectTo;
using ::testing::ElementsAre;
using testing::Resolve;
using testing::TestWorker;

class BrokerNamesTest : public ::testing::Test {
 protected:
  BrokerNamesTest() {
    std::ofstream(hosts_) << "127.0.0.1 private.example public.example\n";
    Rule allow = {Decision::kAllow, HostPattern::Parse("private.example").value(),
                  PortSet::Parse("*").value()};
    allow.private_addresses = true;
    const Rule open = {Decision::kAllow, PublicHosts(), PortSet::Parse("443").value()};
    Role role;
    role.name = "fetch";
    role.policy = Policy({allow, open});
    BrokerOptions options;
    options.roles.push_back(role);
    ResolverOptions& resolver = options.resolver.emplace();
    resolver.hosts_file = hosts_;
    resolver.resolv_conf = "";
    // Where nobody answers.
    resolver.servers = {Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), 1)};
    resolver.timeout_ms = 100;
    resolver.tries = 1;
    broker_ = BrokerProcess::Start(std::move(options));
  }

  testing::TempFolder folder_;
  const std::string hosts_ = folder_ / "hosts";
  absl::StatusOr<BrokerProcess> broker_ = absl::UnknownError("not started");
};

TEST_F(BrokerNamesTest, ANameOfTheHostsFileIsResolvedAndReached) {
  const auto listener = testing::SilentListener::Listen();
  ASSERT_TRUE(listener.ok() && broker_.ok()) << broker_.status();
  TestWorker worker(*broker_->AddWorker("fetch"));
  worker.Greet();
  const ConnectRequest there = ConnectTo("127.0.0.1", listener->port());
  EXPECT_EQ(worker.Ask(there).result().outcome, Outcome::kDenied);
  EXPECT_THAT(worker.Ask(Resolve("private.example")).addresses(), ElementsAre("127.0.0.1"));
  EXPECT_EQ(worker.Ask(there).result().outcome, Outcome::kConnected);
}

TEST_F(BrokerNamesTest, APublicNameThatLeadsToLoopbackDoesNot) {
  ASSERT_TRUE(broker_.ok()) << broker_.status();
  TestWorker worker(*broker_->AddWorker("fetch"));
  worker.Greet();
  const Answer answer = worker.Ask(Resolve("public.example"));
  EXPECT_EQ(answer.result().outcome, Outcome::kDenied);
  EXPECT_EQ(answer.result().reason, Reason::kSpecialPurpose);
}

TEST_F(BrokerNamesTest, WhatNobodyAnswersMayBeTriedAgain) {
  ASSERT_TRUE(broker_.ok()) << broker_.status();
  TestWorker worker(*broker_->AddWorker("fetch"));
  worker.Greet();
  EXPECT_EQ(worker.Ask(Resolve("nowhere.example")).result().error, static_cast<uint32_t>(EAGAIN));
}

}  // namespace
}  // namespace sockgate
