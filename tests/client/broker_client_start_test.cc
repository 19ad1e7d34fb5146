// How a BrokerClient comes by its channel, and what a fork does to it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "client/broker_client.h"
#include "tests/broker/temp_folder.h"
#include "tests/client/broker_thread.h"
#include "tests/client/fake_broker.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;
using testing::BrokerThread;
using testing::FakeBroker;

constexpr char kVariable[] = "SOCKGATE_CHANNEL";

ConnectRequest AnyRequest() {
  ConnectRequest request;
  request.endpoint = Endpoint::Ip(IpAddress::V4({192, 0, 2, 1}), 443);
  return request;
}

TEST(FromDescriptorTest, WhatIsNoChannel) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd other_end(ends[1]);
  EXPECT_TRUE(absl::IsInvalidArgument(BrokerClient::FromDescriptor(UniqueFd(ends[0])).status()));
  UniqueFd file(open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_TRUE(absl::IsInvalidArgument(BrokerClient::FromDescriptor(std::move(file)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(BrokerClient::FromDescriptor(UniqueFd()).status()));
}

TEST(FromDescriptorTest, ABrokerThatHasGone) {
  FakeBroker broker;
  broker.Close();
  EXPECT_TRUE(absl::IsUnavailable(BrokerClient::FromDescriptor(broker.TakeWorkerEnd()).status()));
}

TEST(FromDescriptorTest, ABrokerThatSaysNothing) {
  FakeBroker broker;
  const auto client = BrokerClient::FromDescriptor(broker.TakeWorkerEnd());
  EXPECT_TRUE(absl::IsUnavailable(client.status()));
  EXPECT_EQ(client.status().message(), "the broker did not answer in time");
}

TEST(FromDescriptorTest, ABrokerOfAnotherVersion) {
  FakeBroker broker;
  broker.Reply(1, HelloReply());
  const auto client = BrokerClient::FromDescriptor(broker.TakeWorkerEnd());
  EXPECT_TRUE(absl::IsFailedPrecondition(client.status()));
  EXPECT_EQ(client.status().message(),
            "the broker speaks none of this library's protocol versions, 1 to 1");
}

TEST(FromDescriptorTest, ABrokerThatSpeaksNonsense) {
  FakeBroker broker;
  broker.ReplyBytes({'H', 'T', 'T', 'P'});
  const auto client = BrokerClient::FromDescriptor(broker.TakeWorkerEnd());
  EXPECT_EQ(client.status().message(), "the broker's reply is not sockgate's protocol");
}

TEST(FromPathTest, ConnectsToABroker) {
  const testing::TempFolder folder;
  BrokerThread broker(Limits(), folder / "broker");
  ASSERT_TRUE(broker.listening());
  const auto client = BrokerClient::FromPath(folder / "broker");
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ((*client)->Connect(AnyRequest()).error.kind, Kind::kDenied);
}

TEST(FromPathTest, WhereNobodyListens) {
  const testing::TempFolder folder;
  const std::string path = folder / "broker";
  const auto client = BrokerClient::FromPath(path);
  EXPECT_TRUE(absl::IsNotFound(client.status()));
  EXPECT_NE(client.status().message().find(path), absl::string_view::npos);
  for (const std::string& bad : {std::string(), std::string(108, 'x'), std::string("/a\0b", 4)}) {
    EXPECT_TRUE(absl::IsInvalidArgument(BrokerClient::FromPath(bad).status()));
  }
}

TEST(FromEnvironmentTest, TakesTheDescriptorAndRemovesTheVariable) {
  FakeBroker broker;
  broker.Greet();
  // Inheritable, as after an exec.
  const UniqueFd end = broker.TakeWorkerEnd();
  const int fd = dup(end.get());
  ASSERT_EQ(setenv(kVariable, std::to_string(fd).c_str(), 1), 0);
  const auto client = BrokerClient::FromEnvironment();
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ(getenv(kVariable), nullptr);
  EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << "not for the next program";
}

TEST(FromEnvironmentTest, WhatIsNotSetToADescriptor) {
  unsetenv(kVariable);
  EXPECT_TRUE(absl::IsFailedPrecondition(BrokerClient::FromEnvironment().status()));
  for (const char* text : {"", "x", "-1", "3x", "99999999999"}) {
    ASSERT_EQ(setenv(kVariable, text, 1), 0);
    EXPECT_TRUE(absl::IsFailedPrecondition(BrokerClient::FromEnvironment().status())) << text;
  }
  ASSERT_EQ(setenv(kVariable, "12345", 1), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(BrokerClient::FromEnvironment().status()));
}

// Two processes on one channel would get each other's sockets.
TEST(ForkTest, AChildCannotUseItsParentsClient) {
  FakeBroker broker;
  broker.Greet();
  const auto client = BrokerClient::FromDescriptor(broker.TakeWorkerEnd());
  ASSERT_TRUE(client.ok()) << client.status();
  const pid_t child = fork();
  if (child == 0) _exit((*client)->Connect(AnyRequest()).error.kind == Kind::kBrokerGone ? 0 : 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(broker.NextRequest(), 1U) << "the hello";
  // The parent goes on, with the id that is next.
  broker.Reply(2, OpenChannelReply{testing::Saying(Outcome::kLimited).result});
  EXPECT_EQ((*client)->Connect(AnyRequest()).error.kind, Kind::kLimited);
  EXPECT_EQ(broker.NextRequest(), 2U);
}

TEST(ForkTest, AClientThatAChildMadeWorksThere) {
  FakeBroker broker;
  const pid_t child = fork();
  if (child == 0) {
    broker.Greet();
    const auto client = BrokerClient::FromDescriptor(broker.TakeWorkerEnd());
    broker.Reply(2, OpenChannelReply{testing::Saying(Outcome::kLimited).result});
    _exit(client.ok() && (*client)->Connect(AnyRequest()).error.kind == Kind::kLimited ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// What the broker says in place of a socket must not be taken for one.
TEST(HostileBrokerTest, AnErrorComesWithoutASocket) {
  FakeBroker first;
  first.Greet();
  const auto client = BrokerClient::FromDescriptor(first.TakeWorkerEnd());
  ASSERT_TRUE(client.ok()) << client.status();
  FakeBroker minted;
  OpenChannelReply opened;
  opened.result.outcome = Outcome::kOpened;
  const UniqueFd minted_end = minted.TakeWorkerEnd();
  first.Reply(2, opened, minted_end.get());
  const testing::Marked socket;
  minted.Reply(1, opened, socket.near_side.get());
  const ConnectResult result = (*client)->Connect(AnyRequest());
  EXPECT_EQ(result.error.kind, Kind::kBadReply);
  EXPECT_EQ(result.error.error_number, EPROTO);
  EXPECT_FALSE(result.socket.valid());
}

}  // namespace
}  // namespace sockgate
