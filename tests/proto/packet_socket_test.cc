// Every hazard of passing descriptors, provoked on real sockets. After each test the process must
// hold as many descriptors as before it.

#include "proto/packet_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>

#include "absl/strings/string_view.h"
#include "proto/limits.h"
#include "tests/proto/descriptor_hazards.h"

namespace sockgate::testing {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// SCM_MAX_FD, the most that the kernel takes in one packet (unix(7)).
constexpr size_t kMostDescriptors = 253;

constexpr Accept kBothAccepts[] = {Accept::kNoDescriptor, Accept::kOneDescriptor};

milliseconds Since(Clock::time_point begin) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
}

// A pair of bare SEQPACKET sockets, and a pipe to pass an end of.
class PacketSocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    descriptors_before_ = OpenDescriptors();
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    here_.Reset(ends[0]);
    there_.Reset(ends[1]);
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_end_.Reset(ends[0]);
    write_end_.Reset(ends[1]);
  }

  void TearDown() override {
    EXPECT_EQ(OpenDescriptors(), descriptors_before_ + 4 - closed_) << "a descriptor has leaked";
  }

  Received Receive(Accept accept, Wait wait = Wait::kNo) {
    return ReceivePacket(here_.get(), absl::MakeSpan(buffer_), accept, wait);
  }

  std::string Text(const Received& received) const {
    return {buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(received.size)};
  }

  void CloseThere() {
    there_.Reset();
    ++closed_;
  }

  // The socket still works as ever after what happened to it.
  void ExpectUsable() {
    ASSERT_EQ(SendPacket(there_.get(), Packet("next"), write_end_.get(), Wait::kNo).status,
              PacketStatus::kOk);
    const Received received = Receive(Accept::kOneDescriptor);
    EXPECT_EQ(received.status, PacketStatus::kOk);
    EXPECT_EQ(Text(received), "next");
    EXPECT_TRUE(received.fd.valid());
  }

  UniqueFd here_;
  UniqueFd there_;
  UniqueFd read_end_;
  UniqueFd write_end_;
  std::array<uint8_t, kMaxPacketBytes> buffer_ = {};
  size_t descriptors_before_ = 0;
  size_t closed_ = 0;
};

TEST_F(PacketSocketTest, PassesOneDescriptorThatWorks) {
  ASSERT_EQ(SendPacket(there_.get(), Packet("hi"), write_end_.get(), Wait::kNo).status,
            PacketStatus::kOk);
  const Received received = Receive(Accept::kOneDescriptor);
  ASSERT_EQ(received.status, PacketStatus::kOk);
  EXPECT_EQ(Text(received), "hi");
  ASSERT_TRUE(received.fd.valid());
  EXPECT_NE(received.fd.get(), write_end_.get());
  EXPECT_TRUE(HasCloseOnExec(received.fd.get()));
  ASSERT_EQ(write(received.fd.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(read_end_.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
}

TEST_F(PacketSocketTest, TheSenderKeepsItsDescriptor) {
  SendPacket(there_.get(), Packet("hi"), write_end_.get(), Wait::kNo);
  EXPECT_GE(fcntl(write_end_.get(), F_GETFD), 0);
  EXPECT_EQ(Receive(Accept::kOneDescriptor).status, PacketStatus::kOk);
}

TEST_F(PacketSocketTest, PassesPacketsWithoutADescriptorToBothKindsOfReceiver) {
  for (const Accept accept : kBothAccepts) {
    ASSERT_EQ(SendPacket(there_.get(), Packet("hello"), -1, Wait::kNo).status, PacketStatus::kOk);
    const Received received = Receive(accept);
    EXPECT_EQ(received.status, PacketStatus::kOk);
    EXPECT_EQ(Text(received), "hello");
    EXPECT_FALSE(received.fd.valid());
  }
}

TEST_F(PacketSocketTest, KeepsEachPacketWithItsOwnDescriptor) {
  ASSERT_EQ(SendPacket(there_.get(), Packet("a"), write_end_.get(), Wait::kNo).error, 0);
  ASSERT_EQ(SendPacket(there_.get(), Packet("b"), -1, Wait::kNo).error, 0);
  EXPECT_TRUE(Receive(Accept::kOneDescriptor).fd.valid());
  const Received second = Receive(Accept::kOneDescriptor);
  EXPECT_EQ(Text(second), "b");
  EXPECT_FALSE(second.fd.valid());
}

TEST_F(PacketSocketTest, ClosesSurplusDescriptors) {
  for (const size_t copies : {size_t{2}, size_t{3}, size_t{4}, kMostDescriptors}) {
    ASSERT_EQ(SendMany(there_.get(), "hi", write_end_.get(), copies), 0);
    const Received received = Receive(Accept::kOneDescriptor);
    EXPECT_EQ(received.status, PacketStatus::kDescriptors) << copies;
    EXPECT_FALSE(received.fd.valid()) << copies;
    ExpectUsable();
  }
}

TEST_F(PacketSocketTest, InstallsNothingForAReceiverThatWantsNone) {
  for (const size_t copies : {size_t{1}, size_t{2}, size_t{3}, kMostDescriptors}) {
    ASSERT_EQ(SendMany(there_.get(), "hi", write_end_.get(), copies), 0);
    const Received received = Receive(Accept::kNoDescriptor);
    EXPECT_EQ(received.status, PacketStatus::kDescriptors) << copies;
    EXPECT_EQ(Text(received), "hi");
    EXPECT_FALSE(received.fd.valid()) << copies;
    ExpectUsable();
  }
}

// The last copy of the pipe's write end goes with the packet, so the pipe ends exactly when every
// passed copy is closed.
TEST_F(PacketSocketTest, RefusedDescriptorsAreReallyClosed) {
  for (const Accept accept : kBothAccepts) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    ASSERT_EQ(SendMany(there_.get(), "hi", writer.get(), 3), 0);
    writer.Reset();
    EXPECT_EQ(Receive(accept).status, PacketStatus::kDescriptors);
    char byte;
    EXPECT_EQ(read(reader.get(), &byte, 1), 0) << "somebody still holds the write end";
  }
}

TEST_F(PacketSocketTest, AnEmptyPacketWithDescriptorsIsNotTheEnd) {
  for (const Accept accept : kBothAccepts) {
    for (const size_t copies : {1, 2, 3}) {
      ASSERT_EQ(SendMany(there_.get(), "", write_end_.get(), copies), 0);
      const Received received = Receive(accept);
      EXPECT_EQ(received.status, PacketStatus::kDescriptors) << copies;
      EXPECT_FALSE(received.fd.valid());
      ExpectUsable();
    }
  }
}

TEST_F(PacketSocketTest, AnEmptyPacketIsTheEndItLooksLike) {
  for (const Accept accept : kBothAccepts) {
    ASSERT_EQ(send(there_.get(), "", 0, 0), 0);
    EXPECT_EQ(Receive(accept).status, PacketStatus::kClosed);
  }
}

TEST_F(PacketSocketTest, SaysWhenThisProcessHasNoNumberLeft) {
  ASSERT_EQ(SendMany(there_.get(), "reply", write_end_.get(), 1), 0);
  {
    const DescriptorRoom room(0);
    const Received received = Receive(Accept::kOneDescriptor);
    EXPECT_EQ(received.status, PacketStatus::kTableFull);
    EXPECT_EQ(Text(received), "reply");
    EXPECT_FALSE(received.fd.valid());
  }
  ExpectUsable();
}

TEST_F(PacketSocketTest, TwoDescriptorsWithRoomForOneAreStillTooMany) {
  ASSERT_EQ(SendMany(there_.get(), "reply", write_end_.get(), 2), 0);
  {
    const DescriptorRoom room(1);
    const Received received = Receive(Accept::kOneDescriptor);
    EXPECT_EQ(received.status, PacketStatus::kDescriptors);
    EXPECT_FALSE(received.fd.valid());
  }
  ExpectUsable();
}

TEST_F(PacketSocketTest, AFullTableChangesNothingForAReceiverThatWantsNone) {
  ASSERT_EQ(SendMany(there_.get(), "hi", write_end_.get(), 1), 0);
  ASSERT_EQ(SendPacket(there_.get(), Packet("plain"), -1, Wait::kNo).error, 0);
  const DescriptorRoom room(0);
  EXPECT_EQ(Receive(Accept::kNoDescriptor).status, PacketStatus::kDescriptors);
  EXPECT_EQ(Receive(Accept::kNoDescriptor).status, PacketStatus::kOk);
}

TEST_F(PacketSocketTest, RefusesAPacketLongerThanTheBuffer) {
  const std::string longest(kMaxPacketBytes, 'l');
  ASSERT_EQ(SendPacket(there_.get(), Packet(longest), -1, Wait::kNo).error, 0);
  ASSERT_EQ(SendPacket(there_.get(), Packet(longest + "x"), -1, Wait::kNo).error, 0);
  ASSERT_EQ(SendPacket(there_.get(), Packet(longest + "x"), write_end_.get(), Wait::kNo).error, 0);
  EXPECT_EQ(Text(Receive(Accept::kNoDescriptor)), longest);
  EXPECT_EQ(Receive(Accept::kNoDescriptor).status, PacketStatus::kTruncated);
  const Received with_descriptor = Receive(Accept::kOneDescriptor);
  EXPECT_EQ(with_descriptor.status, PacketStatus::kTruncated);
  EXPECT_FALSE(with_descriptor.fd.valid());
  ExpectUsable();
}

TEST_F(PacketSocketTest, DescriptorsCountMoreThanLength) {
  ASSERT_EQ(SendMany(there_.get(), std::string(2000, 'x'), write_end_.get(), 1), 0);
  EXPECT_EQ(Receive(Accept::kNoDescriptor).status, PacketStatus::kDescriptors);
}

TEST_F(PacketSocketTest, ReceivesTheEndWhenThePeerHasGone) {
  ASSERT_EQ(SendPacket(there_.get(), Packet("last"), write_end_.get(), Wait::kNo).error, 0);
  CloseThere();
  EXPECT_EQ(Receive(Accept::kOneDescriptor).status, PacketStatus::kOk) << "what was sent stays";
  for (const Accept accept : kBothAccepts) {
    EXPECT_EQ(Receive(accept).status, PacketStatus::kClosed);
    EXPECT_EQ(Receive(accept, Wait::kYes).status, PacketStatus::kClosed);
  }
}

TEST_F(PacketSocketTest, APeerThatLeavesPacketsUnreadHasGoneToo) {
  ASSERT_EQ(SendPacket(here_.get(), Packet("unread"), write_end_.get(), Wait::kNo).error, 0);
  CloseThere();
  const Received received = Receive(Accept::kOneDescriptor);
  EXPECT_EQ(received.status, PacketStatus::kClosed);
  EXPECT_EQ(received.error, ECONNRESET);
}

// SIGPIPE is at its default here, and would end the test.
TEST_F(PacketSocketTest, SendingToNobodyRaisesNoSignal) {
  CloseThere();
  for (const int descriptor : {-1, write_end_.get()}) {
    const Sent sent = SendPacket(here_.get(), Packet("hi"), descriptor, Wait::kYes);
    EXPECT_EQ(sent.status, PacketStatus::kClosed);
    EXPECT_EQ(sent.error, EPIPE);
  }
}

TEST_F(PacketSocketTest, ReceivingFromNobodyYetWouldBlock) {
  for (const Accept accept : kBothAccepts) {
    const Received received = Receive(accept);
    EXPECT_EQ(received.status, PacketStatus::kWouldBlock);
    EXPECT_EQ(received.error, EAGAIN);
  }
}

TEST_F(PacketSocketTest, SendingToOneWhoDoesNotReadWouldBlock) {
  Sent sent;
  size_t accepted = 0;
  do {
    sent = SendPacket(there_.get(), Packet("unread"), -1, Wait::kNo);
  } while (sent.status == PacketStatus::kOk && ++accepted < 1'000'000);
  EXPECT_EQ(sent.status, PacketStatus::kWouldBlock);
  EXPECT_GT(accepted, 0U);
  EXPECT_EQ(Receive(Accept::kNoDescriptor).status, PacketStatus::kOk) << "nothing is torn";
}

TEST_F(PacketSocketTest, WaitingEndsAtTheSocketsTimeout) {
  ASSERT_TRUE(PrepareWorkerEnd(here_.get()));
  const auto begin = Clock::now();
  EXPECT_EQ(Receive(Accept::kOneDescriptor, Wait::kYes).status, PacketStatus::kWouldBlock);
  EXPECT_GE(Since(begin), milliseconds(kDeadlineTickMs - 10));
  EXPECT_LT(Since(begin), milliseconds(5000));

  while (SendPacket(here_.get(), Packet("x"), -1, Wait::kNo).status == PacketStatus::kOk) {
  }
  const auto full = Clock::now();
  EXPECT_EQ(SendPacket(here_.get(), Packet("x"), -1, Wait::kYes).status, PacketStatus::kWouldBlock);
  EXPECT_GE(Since(full), milliseconds(kDeadlineTickMs - 10));
}

// SA_RESTART, as most programs set it: it must not make the wait begin anew.
TEST_F(PacketSocketTest, ASignalEndsTheWait) {
  const timeval long_enough = {10, 0};
  setsockopt(here_.get(), SOL_SOCKET, SO_RCVTIMEO, &long_enough, sizeof(long_enough));
  struct sigaction quiet = {};
  quiet.sa_handler = [](int) {};
  quiet.sa_flags = SA_RESTART;
  struct sigaction old;
  ASSERT_EQ(sigaction(SIGALRM, &quiet, &old), 0);
  const itimerval soon = {{0, 20'000}, {0, 20'000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
  const auto begin = Clock::now();
  const Received received = Receive(Accept::kOneDescriptor, Wait::kYes);
  const itimerval never = {};
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &old, nullptr);
  EXPECT_EQ(received.status, PacketStatus::kWouldBlock);
  EXPECT_EQ(received.error, EINTR);
  EXPECT_LT(Since(begin), milliseconds(5000));
}

TEST_F(PacketSocketTest, AnyOtherErrorKeepsItsNumber) {
  EXPECT_EQ(SendPacket(-1, Packet("x"), -1, Wait::kNo).error, EBADF);
  EXPECT_EQ(SendPacket(read_end_.get(), Packet("x"), -1, Wait::kNo).error, ENOTSOCK);
  const Received received =
      ReceivePacket(read_end_.get(), absl::MakeSpan(buffer_), Accept::kOneDescriptor, Wait::kNo);
  EXPECT_EQ(received.status, PacketStatus::kError);
  EXPECT_EQ(received.error, ENOTSOCK);
  const UniqueFd unconnected(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  EXPECT_EQ(SendPacket(unconnected.get(), Packet("x"), -1, Wait::kNo).status,
            PacketStatus::kClosed);
}

TEST_F(PacketSocketTest, RefusesToPassADescriptorThatIsNotOpen) {
  const Sent sent = SendPacket(there_.get(), Packet("x"), 1'000'000, Wait::kNo);
  EXPECT_EQ(sent.status, PacketStatus::kError);
  EXPECT_EQ(sent.error, EBADF);
  EXPECT_EQ(Receive(Accept::kOneDescriptor).status, PacketStatus::kWouldBlock);
}

// A packet that its reader never took holds a descriptor; closing the reader gives it up.
TEST_F(PacketSocketTest, UnreadDescriptorsDieWithTheirReader) {
  ASSERT_EQ(SendPacket(here_.get(), Packet("x"), write_end_.get(), Wait::kNo).error, 0);
  write_end_.Reset();
  ++closed_;
  CloseThere();
  pollfd entry = {read_end_.get(), POLLIN, 0};
  EXPECT_EQ(poll(&entry, 1, 2000), 1);
  EXPECT_NE(entry.revents & POLLHUP, 0);
}

}  // namespace
}  // namespace sockgate::testing
