#include "broker/measured.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

#include "proto/endpoint.h"
#include "proto/unique_fd.h"
#include "tests/support/loopback_tcp.h"

namespace sockgate {
namespace {

using End = Measured::End;
using testing::SilentListener;

class MeasuredTest : public ::testing::TestWithParam<const char*> {
 protected:
  MeasuredTest() {
    const auto listener = SilentListener::Listen(GetParam());
    EXPECT_TRUE(listener.ok()) << listener.status();
    sockaddr_storage address;
    const Endpoint endpoint = Endpoint::Ip(*IpAddress::Parse(GetParam()), listener->port());
    const socklen_t length = endpoint.ToSockaddr(&address);
    holder_.Reset(socket(endpoint.address_family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(holder_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    peer_ = *listener->Accept(std::chrono::seconds(5));
  }

  void Say(const UniqueFd& from, size_t bytes) {
    const std::string text(bytes, 'x');
    EXPECT_EQ(send(from.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes));
  }
  void Hear(const UniqueFd& at, size_t bytes) {
    std::string text(bytes, '\0');
    EXPECT_EQ(recv(at.get(), text.data(), text.size(), MSG_WAITALL), static_cast<ssize_t>(bytes));
  }
  void HearEnd(const UniqueFd& at) {
    char byte;
    EXPECT_EQ(recv(at.get(), &byte, 1, 0), 0);
  }
  void Shut(const UniqueFd& end) { EXPECT_EQ(shutdown(end.get(), SHUT_RDWR), 0); }
  // The peer resets the connection.
  void Reset() {
    const linger at_once = {1, 0};
    setsockopt(peer_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    peer_.Reset();
  }
  bool Until(const std::function<bool(const Measured&)>& condition) {
    for (int i = 0; i < 5000; ++i) {
      if (condition(MeasureTcp(holder_.get()))) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }
  void Expect(End end, uint64_t sent, uint64_t received) {
    EXPECT_TRUE(Until([&](const Measured& now) {
      return now.end == end && now.bytes_sent == sent && now.bytes_received == received;
    }));
    const Measured last = MeasureTcp(holder_.get());
    EXPECT_EQ(last.end, end);
    EXPECT_EQ(last.bytes_sent, sent);
    EXPECT_EQ(last.bytes_received, received);
  }
  bool IsClosed() {
    pollfd entry = {holder_.get(), 0, 0};
    return poll(&entry, 1, 0) == 1 && (entry.revents & POLLERR) != 0;
  }

  UniqueFd holder_;
  UniqueFd peer_;
};

INSTANTIATE_TEST_SUITE_P(Each, MeasuredTest, ::testing::Values("127.0.0.1", "::1"),
                         [](const auto& one) { return one.index == 0 ? "V4" : "V6"; });

TEST_P(MeasuredTest, OneThatGoesOn) {
  Expect(End::kNone, 0, 0);
  Say(holder_, 100);
  Say(peer_, 30);
  Expect(End::kNone, 100, 30);
}

TEST_P(MeasuredTest, TheHolderShutsItDown) {
  Say(holder_, 100);
  Hear(peer_, 100);
  Say(peer_, 30);
  Hear(holder_, 30);
  Shut(holder_);
  Expect(End::kByHolder, 100, 30);
  HearEnd(peer_);
  Expect(End::kByHolder, 100, 30);
}

TEST_P(MeasuredTest, ThePeersFinIsNoByte) {
  Say(peer_, 30);
  Hear(holder_, 30);
  shutdown(peer_.get(), SHUT_WR);
  Expect(End::kByPeer, 0, 30);
}

TEST_P(MeasuredTest, OnceBothHaveClosedItTheNumbersStay) {
  Say(holder_, 100);
  Hear(peer_, 100);
  Say(peer_, 30);
  Hear(holder_, 30);
  Shut(holder_);
  HearEnd(peer_);
  peer_.Reset();
  Expect(End::kByHolder, 100, 30);
}

TEST_P(MeasuredTest, ThePeerResetsIt) {
  Say(holder_, 100);
  Hear(peer_, 100);
  Say(peer_, 30);
  Hear(holder_, 30);
  Reset();
  Expect(End::kBroken, 100, 30);
}

// The kernel resets it by itself, for data that nobody will read: the peer is not to blame.
TEST_P(MeasuredTest, ADownloadThatIsAbandonedIsNoReset) {
  Say(peer_, 30);
  Hear(holder_, 30);
  Shut(holder_);
  HearEnd(peer_);
  Say(peer_, 1000);
  ASSERT_TRUE(Until([&](const Measured&) { return IsClosed(); }));
  Expect(End::kByHolder, 0, 30);
}

TEST_P(MeasuredTest, WhatWaitsToBeSentCountsAndTheFinBehindItDoesNot) {
  ASSERT_EQ(fcntl(holder_.get(), F_SETFL, O_NONBLOCK), 0);
  const std::string block(65536, 'x');
  uint64_t written = 0;
  for (ssize_t size = 0; size >= 0;) {
    written += static_cast<uint64_t>(size);
    size = send(holder_.get(), block.data(), block.size(), MSG_NOSIGNAL);
  }
  Expect(End::kNone, written, 0);
  Shut(holder_);
  Expect(End::kByHolder, written, 0);
}

TEST_P(MeasuredTest, LookingTakesNoError) {
  Reset();
  Expect(End::kBroken, 0, 0);
  char byte;
  EXPECT_EQ(recv(holder_.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(MeasuredUnixTest, IsNothing) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(MeasureTcp(socket.get()).end, End::kNone);
  EXPECT_EQ(MeasureTcp(socket.get()).bytes_sent, 0U);
}

}  // namespace
}  // namespace sockgate
