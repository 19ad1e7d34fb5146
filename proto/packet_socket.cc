#include "proto/packet_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

#include "proto/limits.h"

// Linux 6.16, include/uapi/asm-generic/socket.h; newer than Debian 12's headers.
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

namespace sockgate {
namespace {

// Room for one descriptor, which alignment makes room for two.
constexpr size_t kControlBytes = CMSG_SPACE(sizeof(int));
constexpr size_t kMaxDescriptors = (kControlBytes - CMSG_LEN(0)) / sizeof(int);

PacketStatus StatusOf(int error) {
  switch (error) {
    case EAGAIN:
    case EINTR:  // not retried here: a storm of signals must not outlast the caller's deadline
      return PacketStatus::kWouldBlock;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
      return PacketStatus::kClosed;
    case ETOOMANYREFS:
      return PacketStatus::kInFlight;
    default:
      return PacketStatus::kError;
  }
}

// Takes every descriptor out of `message`: the first one into `first`, the rest closed. Returns how
// many.
size_t TakeDescriptors(msghdr* message, UniqueFd* first) {
  size_t taken = 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr;
       header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count && i < kMaxDescriptors; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
      if (taken++ == 0) {
        first->Reset(fd);
      } else {
        UniqueFd surplus(fd);
      }
    }
  }
  return taken;
}

// What a packet that did arrive amounts to. `taken` descriptors are in this process.
PacketStatus Judge(const msghdr& message, Accept accept, size_t size, size_t taken) {
  const bool control_cut = (message.msg_flags & MSG_CTRUNC) != 0;
  if (taken > 1 || (taken == 1 && control_cut)) return PacketStatus::kDescriptors;
  if (control_cut) {
    return accept == Accept::kOneDescriptor ? PacketStatus::kTableFull : PacketStatus::kDescriptors;
  }
  // An empty packet is no message of any protocol of ours, so it may as well be the end it looks
  // like.
  if (size == 0) return taken == 0 ? PacketStatus::kClosed : PacketStatus::kDescriptors;
  if ((message.msg_flags & MSG_TRUNC) != 0) return PacketStatus::kTruncated;
  return PacketStatus::kOk;
}

void AttachDescriptor(msghdr* message, char* control, int descriptor) {
  message->msg_control = control;
  message->msg_controllen = kControlBytes;
  cmsghdr* header = CMSG_FIRSTHDR(message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(descriptor));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(descriptor));
  message->msg_controllen = CMSG_LEN(sizeof(descriptor));
}

// Leaves a timeout that is set already, for a confined process may read it but not set it.
bool SetTimeout(int socket, int option) {
  timeval tick = {};
  socklen_t length = sizeof(tick);
  if (getsockopt(socket, SOL_SOCKET, option, &tick, &length) == 0 &&
      (tick.tv_sec != 0 || tick.tv_usec != 0)) {
    return true;
  }
  tick.tv_sec = kDeadlineTickMs / 1000;
  tick.tv_usec = kDeadlineTickMs % 1000 * 1000;
  return setsockopt(socket, SOL_SOCKET, option, &tick, sizeof(tick)) == 0;
}

}  // namespace

Received ReceivePacket(int socket, absl::Span<uint8_t> buffer, Accept accept, Wait wait) {
  alignas(cmsghdr) char control[kControlBytes];
  iovec part = {buffer.data(), buffer.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (accept == Accept::kOneDescriptor) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
  }
  const int flags = MSG_CMSG_CLOEXEC | (wait == Wait::kYes ? 0 : MSG_DONTWAIT);
  const ssize_t size = recvmsg(socket, &message, flags);
  Received received;
  if (size < 0) {
    received.error = errno;
    received.status = StatusOf(errno);
    return received;
  }
  received.size = static_cast<size_t>(size);
  const size_t taken = TakeDescriptors(&message, &received.fd);
  received.status = Judge(message, accept, received.size, taken);
  if (received.status != PacketStatus::kOk) received.fd.Reset();
  return received;
}

Sent SendPacket(int socket, absl::Span<const uint8_t> packet, int descriptor, Wait wait) {
  const int flags = MSG_NOSIGNAL | (wait == Wait::kYes ? 0 : MSG_DONTWAIT);
  alignas(cmsghdr) char control[kControlBytes] = {};
  iovec part = {const_cast<uint8_t*>(packet.data()), packet.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) AttachDescriptor(&message, control, descriptor);
  const ssize_t size = descriptor >= 0 ? sendmsg(socket, &message, flags)
                                       : send(socket, packet.data(), packet.size(), flags);
  // A SEQPACKET send is whole or nothing.
  if (size >= 0) return {PacketStatus::kOk, 0};
  return {StatusOf(errno), errno};
}

void PrepareBrokerEnd(int socket) {
  const int no = 0;
  setsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
  // Unread replies hold descriptors in flight, of which a user has a limited number.
  setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kUnreadReplyBytes, sizeof(kUnreadReplyBytes));
}

bool PrepareWorkerEnd(int socket) {
  // A timeout means nothing to a descriptor that never waits.
  const int flags = fcntl(socket, F_GETFL);
  if ((flags & O_NONBLOCK) != 0 && fcntl(socket, F_SETFL, flags & ~O_NONBLOCK) != 0) return false;
  return SetTimeout(socket, SO_RCVTIMEO) && SetTimeout(socket, SO_SNDTIMEO);
}

std::optional<ChannelPair> MakeChannelPair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return std::nullopt;
  ChannelPair pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  PrepareBrokerEnd(pair.broker.get());
  if (!PrepareWorkerEnd(pair.worker.get())) return std::nullopt;
  return pair;
}

}  // namespace sockgate
