// Rule: one sentence of a policy: who it is about, at which ports, and what it says of them.
//
// Process: broker, and the tools that read policies. A value type.

#ifndef SOCKGATE_BROKER_POLICY_RULE_H_
#define SOCKGATE_BROKER_POLICY_RULE_H_

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/policy/cidr.h"
#include "broker/policy/host_pattern.h"
#include "broker/policy/port_set.h"
#include "broker/policy/verdict.h"
#include "proto/messages.h"

namespace sockgate {

// The socket with exactly this path. Absolute, without empty, "." or ".." parts, at most 107 bytes;
// the broker follows no symbolic link on the way to it.
struct UnixPath {
  std::string path;

  static absl::StatusOr<UnixPath> Parse(absl::string_view text);
  // What keeps `text` from being such a path; empty: nothing. Never allocates.
  static absl::string_view Fault(absl::string_view text);
};

// Every address that has no special purpose, and every name on the way to it.
struct PublicHosts {};

class Transports {
 public:
  static Transports Tcp() { return Transports(1); }
  static Transports Udp() { return Transports(2); }
  static Transports Both() { return Transports(3); }

  bool Contains(Transport transport) const {
    return (bits_ & (transport == Transport::kStream ? 1 : 2)) != 0;
  }
  bool Contains(Transports other) const { return (bits_ & other.bits_) == other.bits_; }

 private:
  explicit Transports(uint8_t bits) : bits_(bits) {}

  uint8_t bits_;
};

struct Rule {
  using Target = std::variant<Cidr, HostPattern, UnixPath, PublicHosts>;

  Decision decision;  // kAllow or kDeny
  Target target;
  PortSet ports;  // means nothing for a UNIX path
  Transports transports = Transports::Tcp();
  // An allow rule on a host: its names may lead to addresses of special purpose.
  bool private_addresses = false;
  uint32_t line = 0;  // in the policy file; 0: it is not from a file

  // "CIDR:PORTS" with the CIDR in brackets when it is IPv6: "192.0.2.0/24:80,443",
  // "[2001:db8::/32]:*". A deny rule is for TCP and UDP, an allow rule for TCP. The error says
  // which half is wrong.
  static absl::StatusOr<Rule> Parse(Decision decision, absl::string_view text);

  // "allow *.example.com ports 80,443".
  std::string ToString() const;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_RULE_H_
