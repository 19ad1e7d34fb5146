// Endpoint: where a socket is to be pointed. An IP address with port and scope, or a UNIX socket's
// name.
//
// The only place in sockgate where a sockaddr is read or made, so the only place where its hazards
// live: short lengths, missing NULs, mapped addresses, byte order.
// Process: any. A value type of fixed size; never allocates except to print.
// Hostile input: FromSockaddr() is total, and whatever it returns can be encoded and printed.

#ifndef SOCKGATE_PROTO_ENDPOINT_H_
#define SOCKGATE_PROTO_ENDPOINT_H_

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "proto/ip_address.h"
#include "proto/limits.h"

namespace sockgate {

class Endpoint {
 public:
  // The numbers are those of the wire.
  enum class Family : uint8_t { kIpv4 = 1, kIpv6 = 2, kUnix = 3 };

  // 0.0.0.0:0, which no policy allows.
  Endpoint() = default;

  // `scope_id` is an interface index; it is kept only for IPv6, where link-local addresses need it
  // (RFC 4007), and is 0 for none.
  static Endpoint Ip(const IpAddress& address, uint16_t port, uint32_t scope_id = 0);

  // `name` as in sockaddr_un: a pathname without NUL, or an abstract name that begins with NUL and
  // may hold any bytes (unix(7)). Nothing when empty, too long, or with a NUL where none may be.
  static std::optional<Endpoint> Unix(absl::string_view name);

  // Nothing when the family is another one or `length` does not fit it.
  static std::optional<Endpoint> FromSockaddr(const sockaddr* address, socklen_t length);

  // Fills `storage` and returns the length for connect(2).
  socklen_t ToSockaddr(sockaddr_storage* storage) const;

  Family family() const;
  // AF_INET, AF_INET6 or AF_UNIX.
  int address_family() const;
  bool is_ip() const { return unix_bytes_ == 0; }

  // Meaningful for IP only.
  const IpAddress& ip() const { return ip_; }
  uint16_t port() const { return port_; }
  uint32_t scope_id() const { return scope_id_; }

  // Meaningful for UNIX only: the name as Unix() took it.
  absl::string_view unix_name() const { return {unix_name_.data(), unix_bytes_}; }

  // "192.0.2.1:443", "[2001:db8::1]:443", "[fe80::1%2]:443", "unix:/run/x", "unix:@abstract". Bytes
  // of a UNIX name that are not printable ASCII appear as in a C string (\n, \xNN), so a log line
  // stays one line, and a pathname's leading @ as \x40. No two endpoints print alike.
  std::string ToString() const;
  void AppendTo(std::string* out) const;

  friend bool operator==(const Endpoint& a, const Endpoint& b) {
    return a.ip_ == b.ip_ && a.port_ == b.port_ && a.scope_id_ == b.scope_id_ &&
           a.unix_name() == b.unix_name();
  }
  friend bool operator!=(const Endpoint& a, const Endpoint& b) { return !(a == b); }

 private:
  IpAddress ip_;
  uint16_t port_ = 0;
  uint32_t scope_id_ = 0;
  uint8_t unix_bytes_ = 0;
  std::array<char, kMaxUnixPathBytes> unix_name_ = {};
};

}  // namespace sockgate

#endif  // SOCKGATE_PROTO_ENDPOINT_H_
