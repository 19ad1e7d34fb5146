#include "tests/bench/load/raw_worker.h"

#include <sys/socket.h>

#include <array>

#include "proto/codec.h"
#include "proto/endpoint.h"
#include "proto/packet_socket.h"

namespace sockgate::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Asks again and again, each time for as long as the channel's own timeout, until it would not.
template <typename Call>
auto WhileItWouldBlock(Call call) {
  const auto end = Clock::now() + RawWorker::kPatience;
  auto result = call();
  while (result.status == PacketStatus::kWouldBlock && Clock::now() < end) result = call();
  return result;
}

Result ResultOf(const Reply& reply) {
  if (const auto* connect = std::get_if<ConnectReply>(&reply.body)) return connect->result;
  if (const auto* resolve = std::get_if<ResolveReply>(&reply.body)) return resolve->result;
  if (const auto* opened = std::get_if<OpenChannelReply>(&reply.body)) return opened->result;
  return {};
}

UniqueFd ConnectToPath(const std::string& path) {
  UniqueFd channel(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const auto endpoint = Endpoint::Unix(path);
  sockaddr_storage address;
  if (!channel.valid() || !endpoint.has_value()) return {};
  const socklen_t length = endpoint->ToSockaddr(&address);
  if (connect(channel.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) return {};
  return PrepareWorkerEnd(channel.get()) ? std::move(channel) : UniqueFd();
}

}  // namespace

std::optional<RawWorker> RawWorker::FromPath(const std::string& path) {
  UniqueFd channel = ConnectToPath(path);
  if (!channel.valid()) return std::nullopt;
  RawWorker worker(std::move(channel));
  Hello hello;
  hello.capabilities = kCapabilityResolve;
  if (!worker.Send(hello) || !worker.Receive().has_value()) return std::nullopt;
  return worker;
}

std::optional<RawWorker> RawWorker::Mint() {
  if (!Send(OpenChannelRequest())) return std::nullopt;
  std::optional<Answer> answer = Receive();
  if (!answer.has_value() || !answer->descriptor.valid()) return std::nullopt;
  return RawWorker(std::move(answer->descriptor));
}

bool RawWorker::Send(const Body& body) {
  std::array<uint8_t, kMaxPacketBytes> packet;
  const size_t size = EncodeRequest({last_id_ + 1, body}, absl::MakeSpan(packet));
  if (size == 0 || !SendBytes(absl::MakeConstSpan(packet).first(size))) return false;
  ++last_id_;
  return true;
}

bool RawWorker::SendBytes(absl::Span<const uint8_t> bytes) {
  const auto send = [&] { return SendPacket(channel_.get(), bytes, -1, Wait::kYes); };
  return WhileItWouldBlock(send).status == PacketStatus::kOk;
}

std::optional<RawWorker::Answer> RawWorker::Receive() {
  std::array<uint8_t, kMaxPacketBytes> buffer;
  Received received = WhileItWouldBlock([&] {
    return ReceivePacket(channel_.get(), absl::MakeSpan(buffer), Accept::kOneDescriptor,
                         Wait::kYes);
  });
  if (received.status != PacketStatus::kOk) return std::nullopt;
  Reply reply;
  if (!DecodeReply(absl::MakeConstSpan(buffer).first(received.size), &reply).ok()) {
    return std::nullopt;
  }
  return Answer{reply.id, ResultOf(reply), std::move(received.fd)};
}

}  // namespace sockgate::bench
