// HostAddress: an address as getaddrinfo(3) hands it out.
//
// Process: worker. A value type.

#ifndef SOCKGATE_CLIENT_HOST_ADDRESS_H_
#define SOCKGATE_CLIENT_HOST_ADDRESS_H_

#include <cstdint>

#include "proto/ip_address.h"

namespace sockgate {

struct HostAddress {
  IpAddress ip;
  uint32_t scope_id = 0;  // for IPv6, and for mapped ones
  bool mapped = false;    // an IPv4 address that is to appear as ::ffff:a.b.c.d in a sockaddr_in6
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_HOST_ADDRESS_H_
