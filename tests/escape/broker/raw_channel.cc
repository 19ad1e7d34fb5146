#include "tests/escape/broker/raw_channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "proto/codec.h"
#include "proto/packet_socket.h"

namespace sockgate::escape {
namespace {

constexpr int kPatienceMs = 2000;

absl::Span<const uint8_t> AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::string PacketOf(uint32_t id, const decltype(Request::body)& body) {
  std::array<uint8_t, kMaxPacketBytes> packet;
  const size_t size = EncodeRequest({id, body}, absl::MakeSpan(packet));
  return {reinterpret_cast<const char*>(packet.data()), size};
}

ConnectRequest ConnectTo(const char* address, uint16_t port) {
  ConnectRequest request;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse(address), port);
  request.deadline_ms = 5000;
  return request;
}

bool RawChannel::Send(const std::string& packet) const {
  return send(channel_, packet.data(), packet.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(packet.size());
}

std::string RawChannel::Receive(UniqueFd* descriptor) const {
  pollfd readable = {channel_, POLLIN, 0};
  if (poll(&readable, 1, kPatienceMs) != 1) return "";
  std::array<uint8_t, kMaxPacketBytes> packet;
  Received received =
      ReceivePacket(channel_, absl::MakeSpan(packet), Accept::kOneDescriptor, Wait::kNo);
  if (received.status != PacketStatus::kOk) return "";
  if (descriptor != nullptr) *descriptor = std::move(received.fd);
  return {reinterpret_cast<const char*>(packet.data()), received.size};
}

Result RawChannel::NextResult(UniqueFd* descriptor) const {
  const std::string packet = Receive(descriptor);
  Reply reply;
  if (DecodeReply(AsBytes(packet), &reply).ok()) {
    if (const auto* connect = std::get_if<ConnectReply>(&reply.body)) return connect->result;
    if (const auto* open = std::get_if<OpenChannelReply>(&reply.body)) return open->result;
    if (const auto* resolve = std::get_if<ResolveReply>(&reply.body)) return resolve->result;
  }
  Result none;
  none.outcome = Outcome::kBadRequest;
  return none;
}

bool RawChannel::IsClosed() const {
  while (true) {
    pollfd readable = {channel_, POLLIN, 0};
    if (poll(&readable, 1, kPatienceMs) != 1) return false;
    char byte;
    const ssize_t size = recv(channel_, &byte, 1, MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN)) return true;
  }
}

}  // namespace sockgate::escape
