// The spellings of an IPv4 address that inet_aton(3) and browsers take beside the plain one.
//
// Process: broker, and the tools that read policies. Pure.
// Hostile input: the text. It has the characters of a name and the dot; no length is too much.

#ifndef SOCKGATE_BROKER_POLICY_LOOSE_IPV4_H_
#define SOCKGATE_BROKER_POLICY_LOOSE_IPV4_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/ip_address.h"

namespace sockgate {

// Whether the last label is a number, one trailing dot aside: then the whole is an IPv4 address or
// nothing. ("Ends in a number", section 3.5 of the WHATWG's URL standard.)
bool EndsInNumber(absl::string_view text);

// One to four parts, each decimal, octal (leading 0) or hexadecimal (leading 0x); the last one
// fills the bytes that the others leave; one trailing dot. The error says which part is wrong.
absl::StatusOr<IpAddress> ParseLooseIpv4(absl::string_view text);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_LOOSE_IPV4_H_
