#include "broker/measured.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

namespace sockgate {
namespace {

// include/net/tcp_states.h, and netinet/tcp.h, which does not go together with linux/tcp.h.
enum State : uint8_t {
  kFinWait1 = 4,
  kFinWait2 = 5,
  kTimeWait = 6,
  kClose = 7,
  kCloseWait = 8,
  kLastAck = 9,
  kClosing = 11,
};

// Without retransmissions.
uint64_t Written(const tcp_info& info) {
  return info.tcpi_bytes_sent - info.tcpi_bytes_retrans + info.tcpi_notsent_bytes;
}

// Of a connection that is closed. What was acknowledged and what was not are all that was ever
// sent, the SYN and the FIN too. That is how a reset by data that came after a shutdown here, as
// when a download is abandoned, is told from the peer's own.
bool HadFin(int socket, const tcp_info& info) {
  int unacknowledged = 0;
  if (ioctl(socket, SIOCOUTQ, &unacknowledged) != 0) unacknowledged = 0;
  return info.tcpi_bytes_acked + static_cast<uint64_t>(unacknowledged) > Written(info) + 1;
}

Measured::End EndOf(int socket, const tcp_info& info) {
  using End = Measured::End;
  switch (info.tcpi_state) {
    case kFinWait1:
    case kFinWait2:
    case kClosing:
    case kTimeWait:
      return End::kByHolder;
    case kCloseWait:
    case kLastAck:
      return End::kByPeer;
    case kClose:
      return HadFin(socket, info) ? End::kByHolder : End::kBroken;
    default:
      return End::kNone;
  }
}

bool HasError(int socket) {
  pollfd entry = {socket, 0, 0};
  return poll(&entry, 1, 0) == 1 && (entry.revents & POLLERR) != 0;
}

bool PeersFinCame(int socket, const tcp_info& info, Measured::End end) {
  switch (info.tcpi_state) {
    case kClosing:
    case kTimeWait:
    case kCloseWait:
    case kLastAck:
      return true;
    case kClose:
      return end == Measured::End::kByHolder && !HasError(socket);
    default:
      return false;
  }
}

// One that waits behind data to be sent.
bool FinIsUnsent(const tcp_info& info) {
  const bool shut =
      info.tcpi_state == kFinWait1 || info.tcpi_state == kClosing || info.tcpi_state == kLastAck;
  return shut && info.tcpi_notsent_bytes > 0;
}

}  // namespace

Measured MeasureTcp(int socket) {
  tcp_info info = {};
  socklen_t length = sizeof(info);
  Measured measured;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return measured;
  measured.end = EndOf(socket, info);
  measured.bytes_sent = Written(info) - (FinIsUnsent(info) ? 1 : 0);
  measured.bytes_received = info.tcpi_bytes_received;
  if (measured.bytes_received > 0 && PeersFinCame(socket, info, measured.end)) {
    --measured.bytes_received;
  }
  return measured;
}

}  // namespace sockgate
