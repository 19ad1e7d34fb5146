// HostName: a DNS name in the one form in which names are compared, and the parser that tells names
// from addresses.
//
// Process: broker, and the tools that read policies. Pure; a value type of fixed size, so that a
// decision allocates nothing.
// Hostile input: the text. An error reads on after it ("has white space"), is printable ASCII
// whatever the text was, and never repeats it.

#ifndef SOCKGATE_BROKER_POLICY_HOST_NAME_H_
#define SOCKGATE_BROKER_POLICY_HOST_NAME_H_

#include <array>
#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/ip_address.h"
#include "proto/limits.h"

namespace sockgate {

class HostName {
 public:
  // ASCII only: lower-cases, takes one trailing dot off, checks the lengths of RFC 1035 section
  // 2.3.4 and the characters (letters, digits, hyphens inside a label, underscores). An
  // international name must come as A-labels (RFC 5890); idna.h makes them. Nothing that ends in a
  // number is a name; what may be an address goes through ParseHost().
  static absl::StatusOr<HostName> Parse(absl::string_view text);

  // "www.example.com": lower case, no trailing dot, 1 to kMaxNameBytes bytes.
  absl::string_view text() const { return {bytes_.data(), size_}; }

  // Whether it leads to loopback addresses whatever the DNS says: localhost, and what is below it
  // (RFC 6761, section 6.3).
  bool is_localhost() const;

  friend bool operator==(const HostName& a, const HostName& b) { return a.text() == b.text(); }
  friend bool operator!=(const HostName& a, const HostName& b) { return !(a == b); }

 private:
  HostName() = default;

  std::array<char, kMaxNameBytes> bytes_ = {};
  uint8_t size_ = 0;
};

using Host = std::variant<HostName, IpAddress>;

// What `text` means as the host of a URL. Every spelling that inet_aton(3) or a browser would take
// for an IPv4 address is that address (0x7f.1, 2130706433, 0177.0.0.1, 127.1), and so is an IPv6
// address in brackets; what looks like an address and is none (1.2.3.4.5, 09.1.1.1, a zone id), a
// percent escape and whatever HostName refuses is an error.
absl::StatusOr<Host> ParseHost(absl::string_view text);

// The address, or the name, in the one form that compares.
std::string ToString(const Host& host);

// An error for the first ASCII character of `text` that no name has, with what to write instead.
// Says nothing about the bytes that are not ASCII.
absl::Status CheckAsciiOfName(absl::string_view text);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_HOST_NAME_H_
