#include "broker/resolver/ordered_sockets.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <utility>

#include "broker/resolver/resolver_codec.h"
#include "proto/check.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

constexpr std::chrono::seconds kPatience(1);

// The broker has gone, or says what it never says: either way nobody waits for an answer.
[[noreturn]] void End() { _exit(EXIT_SUCCESS); }

}  // namespace

OrderedSockets::OrderedSockets(int channel, std::vector<Endpoint> servers)
    : channel_(channel), servers_(std::move(servers)), stand_in_(eventfd(0, EFD_CLOEXEC)) {
  SOCKGATE_CHECK(stand_in_.valid());
}

int OrderedSockets::Open(int type) {
  last_opened_ = fcntl(stand_in_.get(), F_DUPFD_CLOEXEC, 0);
  last_type_ = type;
  return last_opened_;
}

int OrderedSockets::Connect(int fd, const sockaddr* address, socklen_t length) {
  const std::optional<Endpoint> wanted = Endpoint::FromSockaddr(address, length);
  const auto server =
      std::find_if(servers_.begin(), servers_.end(), [&wanted](const Endpoint& known) {
        return wanted.has_value() && known.ip() == wanted->ip() && known.port() == wanted->port();
      });
  SOCKGATE_CHECK(fd == last_opened_ && server != servers_.end());
  if (rate_.Count(std::chrono::steady_clock::now()) > kMaxSocketsPerSecond) {
    errno = ENOBUFS;
    return -1;
  }
  SocketOrder order;
  order.id = ++last_id_;
  order.server = static_cast<uint8_t>(server - servers_.begin());
  order.transport = last_type_ == SOCK_STREAM ? Transport::kStream : Transport::kDatagram;
  UniqueFd opened;
  errno = Order(order, &opened);
  if (errno != 0 || dup3(opened.get(), fd, O_CLOEXEC) < 0) return -1;
  if (order.transport == Transport::kDatagram) return 0;
  errno = EINPROGRESS;
  return -1;
}

int OrderedSockets::Order(const SocketOrder& order, UniqueFd* opened) {
  std::array<uint8_t, kMaxPacketBytes> packet;
  const size_t size = Encode(order, absl::MakeSpan(packet));
  const Sent sent = SendPacket(channel_, absl::MakeConstSpan(packet).first(size), -1, Wait::kYes);
  if (sent.status == PacketStatus::kWouldBlock) return ENOBUFS;
  if (sent.status != PacketStatus::kOk) End();
  return AwaitReply(order.id, opened);
}

int OrderedSockets::AwaitReply(uint32_t id, UniqueFd* opened) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < give_up) {
    std::array<uint8_t, kMaxPacketBytes> packet;
    Received received =
        ReceivePacket(channel_, absl::MakeSpan(packet), Accept::kOneDescriptor, Wait::kYes);
    if (received.status == PacketStatus::kWouldBlock) continue;
    // Its number is lost with the descriptor; this order failed if the reply was to it.
    if (received.status == PacketStatus::kTableFull) return EMFILE;
    SocketReply reply;
    if (received.status != PacketStatus::kOk ||
        !DecodeSocketReply(absl::MakeConstSpan(packet).first(received.size), &reply).ok()) {
      End();
    }
    if (reply.id != id) continue;  // to an order that was given up
    *opened = std::move(received.fd);
    // To c-ares EAGAIN means that connecting has begun.
    if (reply.error == EAGAIN) return ENOBUFS;
    if (reply.error == 0 && !opened->valid()) return EBADF;
    return static_cast<int>(reply.error);
  }
  return ETIMEDOUT;
}

}  // namespace sockgate
