// The order in which addresses of one name are tried: RFC 6724, section 6.
//
// Process: worker. Pure.
// A confined worker has no sockets, so it cannot learn which source address would go with a
// destination. That leaves the rules that need none: 6 (higher precedence in the table of section
// 2.1), 8 (smaller scope) and 10 (leave the order as it is). Rules 1 to 5, 7 and 9 compare sources;
// where they would have mattered, libcurl's Happy Eyeballs finds the address that works.

#ifndef SOCKGATE_CLIENT_ADDRESS_ORDER_H_
#define SOCKGATE_CLIENT_ADDRESS_ORDER_H_

#include <vector>

#include "client/host_address.h"

namespace sockgate {

void OrderAddresses(std::vector<HostAddress>* addresses);

// For tests and for whoever wants to know why.
int PrecedenceOf(const IpAddress& address);
int ScopeOf(const IpAddress& address);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_ADDRESS_ORDER_H_
