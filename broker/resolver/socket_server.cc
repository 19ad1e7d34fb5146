#include "broker/resolver/socket_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "broker/resolver/resolver_codec.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

// Orders served in one turn of the broker's loop, so that the resolver cannot keep it from the
// workers.
constexpr int kOrdersPerTurn = 32;
constexpr uint32_t kFloodFactor = 4;

// A fresh socket for each order is a fresh source port, which whoever forges answers has to guess.
int OpenTowards(const Endpoint& server, Transport transport, UniqueFd* opened) {
  const int type = transport == Transport::kStream ? SOCK_STREAM : SOCK_DGRAM;
  UniqueFd socket(::socket(server.address_family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return errno;
  const int yes = 1;
  // Best effort: a query is one small write, which Nagle's algorithm might hold back.
  if (type == SOCK_STREAM) {
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  }
  sockaddr_storage address;
  const socklen_t length = server.ToSockaddr(&address);
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 &&
      errno != EINPROGRESS) {
    return errno;
  }
  *opened = std::move(socket);
  return 0;
}

Sent SendReply(int channel, uint32_t id, int error, int descriptor) {
  std::array<uint8_t, kMaxPacketBytes> packet;
  const SocketReply reply = {id, static_cast<uint32_t>(error)};
  const size_t size = Encode(reply, absl::MakeSpan(packet));
  return SendPacket(channel, absl::MakeConstSpan(packet).first(size), descriptor, Wait::kNo);
}

absl::Status Misbehaves(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the resolver misbehaves: ", what));
}

}  // namespace

absl::Status SocketServer::Serve(TimePoint now) {
  for (int i = 0; i < kOrdersPerTurn; ++i) {
    std::array<uint8_t, kMaxPacketBytes> buffer;
    const Received received =
        ReceivePacket(channel_.get(), absl::MakeSpan(buffer), Accept::kNoDescriptor, Wait::kNo);
    if (received.status == PacketStatus::kWouldBlock) return absl::OkStatus();
    if (received.status == PacketStatus::kClosed) {
      return absl::UnavailableError("the resolver has ended");
    }
    if (received.status == PacketStatus::kError) {
      return absl::ErrnoToStatus(received.error, "socket channel");
    }
    if (received.status != PacketStatus::kOk) return Misbehaves("no packet of ours");
    absl::Status status = OnPacket(absl::MakeConstSpan(buffer).first(received.size), now);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SocketServer::OnPacket(absl::Span<const uint8_t> packet, TimePoint now) {
  if (servers_.empty()) {
    ServerList list;
    const Decoded decoded = DecodeServerList(packet, &list);
    if (!decoded.ok()) return Misbehaves(decoded.bad_field());
    servers_ = std::move(list.servers);
    return absl::OkStatus();
  }
  SocketOrder order;
  const Decoded decoded = DecodeSocketOrder(packet, &order);
  if (!decoded.ok()) return Misbehaves(decoded.bad_field());
  if (order.server >= servers_.size()) return Misbehaves("unknown server");
  return OnOrder(order, now);
}

absl::Status SocketServer::OnOrder(const SocketOrder& order, TimePoint now) {
  const uint32_t count = rate_.Count(now);
  if (count > kFloodFactor * kMaxSocketsPerSecond) return Misbehaves("a flood of orders");
  UniqueFd opened;
  const int error = count > kMaxSocketsPerSecond
                        ? EAGAIN
                        : OpenTowards(servers_[order.server], order.transport, &opened);
  Sent sent = SendReply(channel_.get(), order.id, error, opened.get());
  if (sent.status == PacketStatus::kInFlight) {
    // Other processes of this user hold descriptors in flight, which is not the resolver's fault.
    sent = SendReply(channel_.get(), order.id, ETOOMANYREFS, -1);
  }
  if (sent.status == PacketStatus::kClosed) return absl::UnavailableError("the resolver has ended");
  // It orders one at a time, so there is always room for one reply.
  if (sent.status == PacketStatus::kWouldBlock) return Misbehaves("it does not read replies");
  if (sent.status != PacketStatus::kOk) return absl::ErrnoToStatus(sent.error, "socket channel");
  return absl::OkStatus();
}

}  // namespace sockgate
