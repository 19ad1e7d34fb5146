// Cidr: a range of IP addresses with a common prefix.
//
// Process: broker, and the tools that read policies. A pure value type.

#ifndef SOCKGATE_BROKER_POLICY_CIDR_H_
#define SOCKGATE_BROKER_POLICY_CIDR_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "proto/ip_address.h"

namespace sockgate {

class Cidr {
 public:
  // "192.0.2.0/24", "2001:db8::/32", or a bare address for that address alone. Nothing when the
  // prefix is too long, has a sign or leading zero, or leaves host bits set: 10.0.0.1/8 is more
  // likely a slip than a wish. A range of IPv4-mapped addresses (::ffff:10.0.0.0/104) is refused:
  // addresses never have that form here.
  static std::optional<Cidr> Parse(absl::string_view text);

  // The range of this length around the address. `prefix` must fit the address.
  static Cidr Around(const IpAddress& address, int prefix);

  bool Contains(const IpAddress& address) const;
  // Whether every address of `other` is in this range too.
  bool Contains(const Cidr& other) const {
    return other.prefix_ >= prefix_ && Contains(other.base_);
  }

  const IpAddress& base() const { return base_; }
  int prefix() const { return prefix_; }
  bool is_v4() const { return base_.is_v4(); }

  friend bool operator==(const Cidr& a, const Cidr& b) {
    return a.prefix_ == b.prefix_ && a.base_ == b.base_;
  }

  std::string ToString() const;

 private:
  Cidr(const IpAddress& base, int prefix) : base_(base), prefix_(prefix) {}

  IpAddress base_;
  int prefix_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_CIDR_H_
