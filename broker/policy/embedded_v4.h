// EmbeddedV4: the IPv4 addresses that an IPv6 address stands for on its way through a translator or
// a tunnel. Whoever may not reach the one must not reach it through the other.
//
// Process: broker, and the tools that read policies. Pure; never allocates.
// Hostile input: the address.

#ifndef SOCKGATE_BROKER_POLICY_EMBEDDED_V4_H_
#define SOCKGATE_BROKER_POLICY_EMBEDDED_V4_H_

#include <array>
#include <cstddef>

#include "absl/strings/string_view.h"
#include "proto/ip_address.h"

namespace sockgate {

struct EmbeddedV4 {
  IpAddress address;
  absl::string_view form;  // "NAT64", "6to4", "Teredo client", ...
};

// No address is in it twice.
class EmbeddedV4List {
 public:
  // Reached by local-use NAT64: one for each prefix length.
  static constexpr size_t kMost = 4;

  const EmbeddedV4* begin() const { return found_.data(); }
  const EmbeddedV4* end() const { return found_.data() + size_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void Add(const EmbeddedV4& embedded) { found_.at(size_++) = embedded; }

 private:
  std::array<EmbeddedV4, kMost> found_;
  size_t size_ = 0;
};

// In local-use NAT64 (64:ff9b:1::/48) the place depends on the prefix length that the translator
// was given, which nothing tells: every length is meant that the rest of the address does not rule
// out.
// None for an IPv4 address. IPv4-mapped ones never get here: IpAddress folds them.
EmbeddedV4List FindEmbeddedV4(const IpAddress& address);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_EMBEDDED_V4_H_
