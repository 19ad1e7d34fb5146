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

  bool Contains(const IpAddress& address) const;

  std::string ToString() const;

 private:
  Cidr(const IpAddress& base, int prefix) : base_(base), prefix_(prefix) {}

  IpAddress base_;
  int prefix_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_CIDR_H_
