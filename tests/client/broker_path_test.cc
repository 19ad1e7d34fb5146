#include "client/broker_path.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "proto/endpoint.h"
#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class BrokerPathTest : public ::testing::Test {
 protected:
  // Lets `waiting` + 1 connections wait.
  void Listen(int waiting) {
    listener_.Reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_storage address;
    const socklen_t length = Endpoint::Unix(path_)->ToSockaddr(&address);
    ASSERT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    ASSERT_EQ(listen(listener_.get(), waiting), 0);
  }

  absl::StatusOr<UniqueFd> ConnectWithin(milliseconds time) {
    return ConnectToBroker(path_, steady_clock::now() + time);
  }

  const testing::TempFolder folder_;
  const std::string path_ = folder_ / "broker";
  UniqueFd listener_;
};

TEST_F(BrokerPathTest, AChannelThatIsReadyForUse) {
  Listen(1);
  const auto channel = ConnectWithin(milliseconds(0));
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_EQ(fcntl(channel->get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(channel->get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(BrokerPathTest, WhereNobodyListens) {
  EXPECT_TRUE(absl::IsNotFound(ConnectWithin(milliseconds(0)).status()));
  Listen(1);
  listener_.Reset();
  EXPECT_TRUE(absl::IsUnavailable(ConnectWithin(milliseconds(5000)).status())) << "left behind";
}

TEST_F(BrokerPathTest, WhereTooManyWaitItWaitsAsLongAsItIsTold) {
  Listen(0);
  const auto first = ConnectWithin(milliseconds(0));
  ASSERT_TRUE(first.ok()) << first.status();
  const auto begun = steady_clock::now();
  EXPECT_TRUE(
      absl::IsUnavailable(ConnectToBroker(path_, steady_clock::time_point::min()).status()));
  EXPECT_LT(steady_clock::now() - begun, milliseconds(50));
  EXPECT_TRUE(absl::IsUnavailable(ConnectWithin(milliseconds(100)).status()));
  EXPECT_GE(steady_clock::now() - begun, milliseconds(100));
}

TEST_F(BrokerPathTest, NoDescriptorLeft) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const absl::Status status = ConnectWithin(milliseconds(0)).status();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

}  // namespace
}  // namespace sockgate
