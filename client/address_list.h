// Makes the list that getaddrinfo(3) returns.
//
// Process: worker. Every node is one block of malloc(3) with its sockaddr behind it, and the
// canonical name another: the layout of glibc, so that glibc's own freeaddrinfo() frees these lists
// too, from whichever library it is called.
// Beside proto/endpoint this is the one place where a sockaddr is made: an Endpoint cannot be an
// IPv4-mapped address, which AI_V4MAPPED asks for.

#ifndef SOCKGATE_CLIENT_ADDRESS_LIST_H_
#define SOCKGATE_CLIENT_ADDRESS_LIST_H_

#include <netdb.h>

#include <vector>

#include "client/host_address.h"
#include "client/socket_kinds.h"

namespace sockgate {

// For each address a node of each kind, in their order. The first node has `canonical_name`, unless
// it is null. Null when memory is short, or when there would be no node.
addrinfo* MakeAddressList(const std::vector<HostAddress>& addresses,
                          const std::vector<SocketKind>& kinds, int flags,
                          const char* canonical_name);

void FreeAddressList(addrinfo* list);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_ADDRESS_LIST_H_
