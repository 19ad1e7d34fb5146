// IpAddress: an IPv4 or IPv6 address, nothing else (no port, no scope).
//
// Process: any. A value type of 17 bytes; never allocates except in ToString().
// An IPv4-mapped IPv6 address (::ffff:0:0/96, RFC 4291 section 2.5.5.2) is folded to the IPv4
// address when the object is made: the kernel routes the two alike, so no rule may be able to tell
// them apart.

#ifndef SOCKGATE_PROTO_IP_ADDRESS_H_
#define SOCKGATE_PROTO_IP_ADDRESS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace sockgate {

class IpAddress {
 public:
  using V4Bytes = std::array<uint8_t, 4>;
  using V6Bytes = std::array<uint8_t, 16>;

  // 0.0.0.0
  IpAddress() = default;

  // Bytes in network order.
  static IpAddress V4(const V4Bytes& bytes);
  static IpAddress V6(const V6Bytes& bytes);

  // The strict forms of inet_pton(3) only: four decimal parts, or RFC 4291 text. No brackets, no
  // zone.
  static std::optional<IpAddress> Parse(absl::string_view text);

  // 0.0.0.0 or ::. To connect(2) they mean the loopback address.
  bool is_unspecified() const { return bytes_ == V6Bytes{}; }

  bool is_v4() const { return size_ == 4; }
  // 4 or 16.
  size_t size() const { return size_; }
  int bits() const { return static_cast<int>(size_) * 8; }
  // Network order; size() bytes are meaningful, the rest are zero.
  const uint8_t* data() const { return bytes_.data(); }

  // RFC 5952 for IPv6.
  std::string ToString() const;
  void AppendTo(std::string* out) const;

  friend bool operator==(const IpAddress& a, const IpAddress& b) {
    return a.size_ == b.size_ && a.bytes_ == b.bytes_;
  }
  friend bool operator!=(const IpAddress& a, const IpAddress& b) { return !(a == b); }

 private:
  V6Bytes bytes_ = {};
  uint8_t size_ = 4;
};

}  // namespace sockgate

#endif  // SOCKGATE_PROTO_IP_ADDRESS_H_
