// The two ends of a channel as the broker makes them, and the limit on descriptors in flight.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "proto/limits.h"
#include "proto/packet_socket.h"
#include "tests/proto/descriptor_hazards.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

namespace sockgate::testing {
namespace {

using std::chrono::milliseconds;

class ChannelPairTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto pair = MakeChannelPair();
    ASSERT_TRUE(pair.has_value());
    pair_ = std::move(*pair);
  }

  static timeval Timeout(int socket, int option) {
    timeval timeout = {};
    socklen_t length = sizeof(timeout);
    EXPECT_EQ(getsockopt(socket, SOL_SOCKET, option, &timeout, &length), 0);
    return timeout;
  }

  ChannelPair pair_;
  std::array<uint8_t, kMaxPacketBytes> buffer_ = {};
};

TEST_F(ChannelPairTest, BothEndsAreCloseOnExec) {
  EXPECT_TRUE(HasCloseOnExec(pair_.broker.get()));
  EXPECT_TRUE(HasCloseOnExec(pair_.worker.get()));
}

TEST_F(ChannelPairTest, TheWorkersWaitsAreBounded) {
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    const timeval timeout = Timeout(pair_.worker.get(), option);
    const auto waits =
        std::chrono::seconds(timeout.tv_sec) + std::chrono::microseconds(timeout.tv_usec);
    EXPECT_GE(waits, milliseconds(kDeadlineTickMs));
    EXPECT_LT(waits, milliseconds(kDeadlineTickMs + 20)) << "the kernel rounds to its own tick";
  }
}

TEST_F(ChannelPairTest, LeavesATimeoutThatIsSetAlready) {
  const timeval seven = {7, 0};
  setsockopt(pair_.worker.get(), SOL_SOCKET, SO_RCVTIMEO, &seven, sizeof(seven));
  EXPECT_TRUE(PrepareWorkerEnd(pair_.worker.get()));
  EXPECT_EQ(Timeout(pair_.worker.get(), SO_RCVTIMEO).tv_sec, 7);
}

TEST_F(ChannelPairTest, SaysThatATimeoutCannotBeSet) {
  EXPECT_FALSE(PrepareWorkerEnd(-1));
  EXPECT_EQ(errno, EBADF);
}

TEST_F(ChannelPairTest, TheKernelRefusesDescriptorsTowardsTheBrokerWhereItCan) {
  int on = 1;
  socklen_t length = sizeof(on);
  if (getsockopt(pair_.broker.get(), SOL_SOCKET, SO_PASSRIGHTS, &on, &length) != 0) {
    GTEST_SKIP() << "this kernel has no SO_PASSRIGHTS (Linux 6.16)";
  }
  EXPECT_EQ(on, 0);
  EXPECT_EQ(SendMany(pair_.worker.get(), "hi", pair_.worker.get(), 1), EPERM);
  EXPECT_EQ(SendMany(pair_.worker.get(), "", pair_.worker.get(), 1), EPERM);
  const Sent sent = SendPacket(pair_.worker.get(), Packet("hi"), pair_.worker.get(), Wait::kNo);
  EXPECT_EQ(sent.status, PacketStatus::kError);
  EXPECT_EQ(sent.error, EPERM);
  EXPECT_EQ(
      ReceivePacket(pair_.broker.get(), absl::MakeSpan(buffer_), Accept::kNoDescriptor, Wait::kNo)
          .status,
      PacketStatus::kWouldBlock);
}

TEST_F(ChannelPairTest, EverythingElsePassesBothWays) {
  EXPECT_EQ(SendPacket(pair_.worker.get(), Packet("ask"), -1, Wait::kNo).error, 0);
  EXPECT_EQ(
      ReceivePacket(pair_.broker.get(), absl::MakeSpan(buffer_), Accept::kNoDescriptor, Wait::kNo)
          .status,
      PacketStatus::kOk);
  const UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(SendPacket(pair_.broker.get(), Packet("answer"), null.get(), Wait::kNo).error, 0);
  EXPECT_TRUE(
      ReceivePacket(pair_.worker.get(), absl::MakeSpan(buffer_), Accept::kOneDescriptor, Wait::kNo)
          .fd.valid());
}

TEST_F(ChannelPairTest, FewRepliesMayWaitUnread) {
  size_t unread = 0;
  while (unread < 10'000 &&
         SendPacket(pair_.broker.get(), Packet("a reply of 24 bytes, say"), -1, Wait::kNo).status ==
             PacketStatus::kOk) {
    ++unread;
  }
  EXPECT_GE(unread, 4U);
  EXPECT_LE(unread, 16U);
}

TEST(MakeChannelPairTest, FailsWithAnErrnoWhenTheTableIsFull) {
  const size_t before = OpenDescriptors();
  for (const size_t room : {size_t{0}, size_t{1}}) {
    const DescriptorRoom tight(room);
    errno = 0;
    EXPECT_FALSE(MakeChannelPair().has_value()) << room;
    EXPECT_EQ(errno, EMFILE) << room;
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

// The kernel excuses a privileged process, so root becomes an ordinary user first; in a user
// namespace it cannot, and need not. Others of the same user may have descriptors in flight too, so
// the last step is tried for a while. Exit codes: 0 as wanted, 1 not, 2 never limited.
int SendUntilTooManyAreInFlight() {
  alarm(20);
  if (setgid(65534) != 0 || setuid(65534) != 0) errno = 0;
  const rlimit few = {32, 32};
  int ends[2];
  if (setrlimit(RLIMIT_NOFILE, &few) != 0) return 1;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return 1;
  const auto send_one = [&ends] { return SendPacket(ends[0], Packet("x"), ends[0], Wait::kNo); };

  int in_flight = 0;
  Sent sent = send_one();
  for (; sent.status == PacketStatus::kOk && in_flight < 100; sent = send_one()) ++in_flight;
  if (sent.status == PacketStatus::kOk) return 2;
  if (sent.status != PacketStatus::kInFlight || sent.error != ETOOMANYREFS) return 1;
  if (SendPacket(ends[0], Packet("no descriptor"), -1, Wait::kNo).error != 0) return 1;

  std::array<uint8_t, 16> buffer;
  for (; in_flight > 0; --in_flight) {
    const Received received =
        ReceivePacket(ends[1], absl::MakeSpan(buffer), Accept::kOneDescriptor, Wait::kNo);
    if (!received.fd.valid()) return 1;
  }
  while (send_one().status == PacketStatus::kInFlight) poll(nullptr, 0, 10);
  return send_one().status == PacketStatus::kOk ? 0 : 1;
}

TEST(InFlightTest, TheLimitIsToldApartAndPassesWhenOthersHaveRead) {
  const pid_t child = fork();
  if (child == 0) _exit(SendUntilTooManyAreInFlight());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "the kernel does not limit this user";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace sockgate::testing
