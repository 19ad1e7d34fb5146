// Address literals in the spellings that getaddrinfo(3) takes.
//
// Process: worker. Looks up an interface's name for a zone like %eth0, which only works where a
// socket may be made; zones by number work everywhere.
// Input: hostile text; every spelling is a literal, a literal with a bad zone, or a name.

#ifndef SOCKGATE_CLIENT_ADDRESS_LITERAL_H_
#define SOCKGATE_CLIENT_ADDRESS_LITERAL_H_

#include "client/host_address.h"

namespace sockgate {

enum class LiteralKind {
  kLiteral,
  kBadZone,  // neither an address nor a name
  kName,
};

// IPv4 in all forms of inet_aton(3) with nothing after it ("127.1", "0x7f.1", "2130706433");
// IPv6 as in RFC 4291, with a zone as in RFC 4007 (fe80::1%2).
LiteralKind ParseLiteral(const char* text, HostAddress* address);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_ADDRESS_LITERAL_H_
