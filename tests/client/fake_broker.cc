#include "tests/client/fake_broker.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "proto/codec.h"
#include "proto/handover.h"
#include "proto/packet_socket.h"

namespace sockgate::testing {
namespace {

void SendAll(int socket, const std::vector<uint8_t>& packet, const std::vector<int>& descriptors) {
  std::vector<uint8_t> copy = packet;
  iovec part = {copy.data(), copy.size()};
  alignas(cmsghdr) char control[128] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const size_t size = descriptors.size() * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), descriptors.data(), size);
  }
  ASSERT_GE(sendmsg(socket, &message, MSG_NOSIGNAL), 0) << strerror(errno);
}

bool HasHungUp(int socket) {
  pollfd entry = {socket, POLLIN, 0};
  return poll(&entry, 1, 0) == 1 && (entry.revents & POLLHUP) != 0;
}

}  // namespace

FakeBroker::FakeBroker() {
  auto pair = MakeChannelPair();
  EXPECT_TRUE(pair.has_value());
  end_ = std::move(pair->broker);
  worker_end_ = std::move(pair->worker);
}

void FakeBroker::Reply(uint32_t id, const decltype(Reply::body)& body, int descriptor) {
  std::vector<uint8_t> packet(kMaxPacketBytes);
  packet.resize(EncodeReply({id, body}, absl::MakeSpan(packet)));
  ASSERT_FALSE(packet.empty());
  ReplyBytes(packet, descriptor >= 0 ? std::vector<int>({descriptor}) : std::vector<int>());
}

void FakeBroker::Greet(uint32_t capabilities, uint16_t max_outstanding) {
  HelloReply hello;
  hello.capabilities = capabilities;
  hello.version = kNewestVersion;
  hello.max_outstanding = max_outstanding;
  Reply(1, hello);
}

void FakeBroker::ReplyBytes(const std::vector<uint8_t>& packet,
                            const std::vector<int>& descriptors) {
  SendAll(end_.get(), packet, descriptors);
}

uint32_t FakeBroker::NextRequest(decltype(Request::body)* body, int patience_ms) {
  pollfd entry = {end_.get(), POLLIN, 0};
  if (poll(&entry, 1, patience_ms) != 1) return 0;
  const Received received =
      ReceivePacket(end_.get(), absl::MakeSpan(buffer_), Accept::kNoDescriptor, Wait::kNo);
  Request request;
  if (received.status != PacketStatus::kOk) return 0;
  const Decoded decoded =
      DecodeRequest(absl::MakeConstSpan(buffer_.data(), received.size), &request);
  EXPECT_TRUE(decoded.ok()) << decoded.bad_field();
  if (body != nullptr) *body = request.body;
  return request.id;
}

bool FakeBroker::HungUp() const { return HasHungUp(end_.get()); }

FakeSource::FakeSource() {
  auto pair = MakeChannelPair();
  EXPECT_TRUE(pair.has_value());
  end_ = std::move(pair->broker);
  worker_end_ = std::move(pair->worker);
}

void FakeSource::Give(FakeBroker& broker) {
  const UniqueFd channel = broker.TakeWorkerEnd();
  SayBytes({static_cast<uint8_t>(SourceAnswer::kChannel)}, {channel.get()});
}

void FakeSource::SayBytes(const std::vector<uint8_t>& packet, const std::vector<int>& descriptors) {
  SendAll(end_.get(), packet, descriptors);
}

int FakeSource::Asked() {
  int asked = 0;
  std::array<uint8_t, 2> said;
  while (ReceivePacket(end_.get(), absl::MakeSpan(said), Accept::kNoDescriptor, Wait::kNo).status ==
         PacketStatus::kOk) {
    EXPECT_EQ(said[0], kAskForChannel);
    ++asked;
  }
  return asked;
}

ConnectReply Saying(Outcome outcome) {
  ConnectReply reply;
  reply.result.outcome = outcome;
  if (outcome == Outcome::kFailed) reply.result.error = ECONNREFUSED;
  if (outcome == Outcome::kLimited) reply.result.retry_after_ms = 100;
  return reply;
}

Marked::Marked() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  near_side.Reset(ends[0]);
  far_side.Reset(ends[1]);
}

bool Marked::Closed() const { return HasHungUp(far_side.get()); }

}  // namespace sockgate::testing
