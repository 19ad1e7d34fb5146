#include "tests/broker/test_worker.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "proto/codec.h"
#include "proto/packet_socket.h"

namespace sockgate::testing {
namespace {

constexpr int kPatienceMs = 10'000;

bool Readable(int socket, int timeout_ms) {
  pollfd entry = {socket, POLLIN, 0};
  return poll(&entry, 1, timeout_ms) == 1;
}

}  // namespace

Bytes Encoded(uint32_t id, const RequestBody& body) {
  Bytes packet(kMaxPacketBytes);
  packet.resize(EncodeRequest({id, body}, absl::MakeSpan(packet)));
  EXPECT_FALSE(packet.empty());
  return packet;
}

ConnectRequest ConnectTo(const char* address, uint16_t port, ConnectMode mode) {
  ConnectRequest request;
  request.mode = mode;
  request.deadline_ms = 100'000;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse(address), port);
  return request;
}

ResolveRequest Resolve(absl::string_view name, NameFamily family) {
  ResolveRequest request;
  request.family = family;
  request.name = name;
  return request;
}

std::vector<std::string> Answer::addresses() const {
  std::vector<std::string> texts;
  const auto& resolve = std::get<ResolveReply>(reply.body);
  for (size_t i = 0; i < resolve.v4_count; ++i) texts.push_back(resolve.v4[i].ToString());
  for (size_t i = 0; i < resolve.v6_count; ++i) texts.push_back(resolve.v6[i].ToString());
  return texts;
}

uint32_t Answer::ttl_seconds() const { return std::get<ResolveReply>(reply.body).ttl_seconds; }

Result Answer::result() const {
  if (const auto* resolve = std::get_if<ResolveReply>(&reply.body)) return resolve->result;
  if (const auto* connect = std::get_if<ConnectReply>(&reply.body)) return connect->result;
  if (const auto* open = std::get_if<OpenChannelReply>(&reply.body)) return open->result;
  return {};
}

uint32_t TestWorker::Send(const RequestBody& body) {
  EXPECT_EQ(SendBytes(Encoded(++last_id_, body)), 0);
  return last_id_;
}

int TestWorker::SendBytes(const Bytes& packet, const std::vector<int>& descriptors) {
  Bytes copy = packet;
  iovec part = {copy.data(), copy.size()};
  alignas(cmsghdr) char control[256] = {};
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
  return sendmsg(channel_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ? 0 : errno;
}

Answer TestWorker::Receive() {
  Answer answer;
  std::array<uint8_t, kMaxPacketBytes> buffer;
  if (!Readable(channel_.get(), kPatienceMs)) {
    ADD_FAILURE() << "no reply";
    return answer;
  }
  Received received =
      ReceivePacket(channel_.get(), absl::MakeSpan(buffer), Accept::kOneDescriptor, Wait::kNo);
  EXPECT_EQ(received.status, PacketStatus::kOk);
  const Decoded decoded =
      DecodeReply(absl::MakeConstSpan(buffer.data(), received.size), &answer.reply);
  EXPECT_TRUE(decoded.ok()) << decoded.bad_field();
  if (auto* resolve = std::get_if<ResolveReply>(&answer.reply.body)) {
    answer.canonical_name = std::string(resolve->canonical_name);
    resolve->canonical_name = {};  // the buffer goes
  }
  answer.descriptor = std::move(received.fd);
  EXPECT_EQ(answer.descriptor.valid(), CarriesDescriptor(answer.result().outcome));
  return answer;
}

Answer TestWorker::Ask(const RequestBody& body) {
  const uint32_t id = Send(body);
  Answer answer = Receive();
  EXPECT_EQ(answer.reply.id, id);
  EXPECT_EQ(answer.reply.body.index(), body.index());
  return answer;
}

void TestWorker::Greet() {
  const Answer answer = Ask(Hello());
  const auto* hello = std::get_if<HelloReply>(&answer.reply.body);
  ASSERT_NE(hello, nullptr);
  EXPECT_EQ(hello->version, kNewestVersion);
}

bool TestWorker::Quiet() { return !Readable(channel_.get(), 50); }

bool TestWorker::Closed() {
  std::array<uint8_t, kMaxPacketBytes> buffer;
  while (Readable(channel_.get(), kPatienceMs)) {
    const Received received =
        ReceivePacket(channel_.get(), absl::MakeSpan(buffer), Accept::kOneDescriptor, Wait::kNo);
    if (received.status == PacketStatus::kClosed) return true;
    if (received.status != PacketStatus::kOk) return false;
  }
  return false;
}

void ExpectLimited(const Result& result, Reason reason) {
  EXPECT_EQ(result.outcome, Outcome::kLimited);
  EXPECT_EQ(Word(result.reason), Word(reason));
  EXPECT_GT(result.retry_after_ms, 0U);
}

}  // namespace sockgate::testing
