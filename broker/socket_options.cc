#include "broker/socket_options.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>

namespace sockgate {
namespace {

// sizeof the kernel's name of an algorithm, with its NUL: TCP_CA_NAME_MAX in include/net/tcp.h.
constexpr size_t kCongestionNameBytes = 16;

// Sets one option after the other until one fails.
class Setter {
 public:
  explicit Setter(int socket) : socket_(socket) {}

  int error() const { return error_; }

  void Number(int level, int name, uint32_t value) { Set(level, name, &value, sizeof(value)); }

  // The kernel cuts a name that is too long, and might know what is left of it.
  void Name(int level, int name, const std::string& value, size_t room, int too_long) {
    if (value.size() >= room) Fail(too_long);
    Set(level, name, value.c_str(), value.size() + 1);
  }

  void Bind(const Endpoint& source) {
    if (error_ != 0) return;
    sockaddr_storage address;
    const socklen_t length = source.ToSockaddr(&address);
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), length) != 0) Fail(errno);
  }

 private:
  void Set(int level, int name, const void* value, size_t size) {
    if (error_ != 0) return;
    if (setsockopt(socket_, level, name, value, static_cast<socklen_t>(size)) != 0) Fail(errno);
  }

  void Fail(int error) {
    if (error_ == 0) error_ = error;
  }

  const int socket_;
  int error_ = 0;
};

void SetForIp(const Endpoint& endpoint, Transport transport, const SocketOptions& options,
              Setter* setter) {
  const bool v4 = endpoint.ip().is_v4();
  if (!options.interface.empty()) {
    setter->Name(SOL_SOCKET, SO_BINDTODEVICE, options.interface, IFNAMSIZ, ENODEV);
  }
  if (options.mark.has_value()) setter->Number(SOL_SOCKET, SO_MARK, *options.mark);
  if (options.tos.has_value()) {
    setter->Number(v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, *options.tos);
  }
  const std::optional<IpAddress>& source = v4 ? options.source_v4 : options.source_v6;
  if (!source.has_value()) return;
  // Or all connections from that address together could have no more than one range of ports.
  if (transport == Transport::kStream) {
    setter->Number(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  }
  // A link-local source needs the link that the target has.
  setter->Bind(Endpoint::Ip(*source, 0, endpoint.scope_id()));
}

void SetForTcp(const SocketOptions& options, Setter* setter) {
  if (options.keepalive.has_value()) {
    setter->Number(SOL_SOCKET, SO_KEEPALIVE, 1);
    setter->Number(IPPROTO_TCP, TCP_KEEPIDLE, options.keepalive->idle_s);
    setter->Number(IPPROTO_TCP, TCP_KEEPINTVL, options.keepalive->interval_s);
    setter->Number(IPPROTO_TCP, TCP_KEEPCNT, options.keepalive->probes);
  }
  if (options.user_timeout_ms.has_value()) {
    setter->Number(IPPROTO_TCP, TCP_USER_TIMEOUT, *options.user_timeout_ms);
  }
  if (!options.congestion_control.empty()) {
    setter->Name(IPPROTO_TCP, TCP_CONGESTION, options.congestion_control, kCongestionNameBytes,
                 ENOENT);
  }
}

}  // namespace

int ApplySocketOptions(int socket, const Endpoint& endpoint, Transport transport,
                       const SocketOptions& options) {
  if (!endpoint.is_ip()) return 0;
  Setter setter(socket);
  SetForIp(endpoint, transport, options, &setter);
  if (transport == Transport::kStream) SetForTcp(options, &setter);
  return setter.error();
}

}  // namespace sockgate
