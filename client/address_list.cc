#include "client/address_list.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>

#include "proto/endpoint.h"

namespace sockgate {
namespace {

socklen_t ToSockaddr(const HostAddress& address, uint16_t port, sockaddr_storage* storage) {
  if (!address.mapped) {
    return Endpoint::Ip(address.ip, port, address.scope_id).ToSockaddr(storage);
  }
  sockaddr_in6 mapped = {};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = htons(port);
  mapped.sin6_scope_id = address.scope_id;
  std::memset(&mapped.sin6_addr.s6_addr[10], 0xff, 2);
  std::memcpy(&mapped.sin6_addr.s6_addr[12], address.ip.data(), address.ip.size());
  std::memcpy(storage, &mapped, sizeof(mapped));
  return sizeof(mapped);
}

addrinfo* MakeNode(const HostAddress& address, const SocketKind& kind, int flags) {
  sockaddr_storage storage;
  const socklen_t length = ToSockaddr(address, kind.port, &storage);
  auto* node = static_cast<addrinfo*>(std::calloc(1, sizeof(addrinfo) + length));
  if (node == nullptr) return nullptr;
  node->ai_flags = flags;
  node->ai_family = storage.ss_family;
  node->ai_socktype = kind.type;
  node->ai_protocol = kind.protocol;
  node->ai_addrlen = length;
  node->ai_addr = reinterpret_cast<sockaddr*>(node + 1);
  std::memcpy(node->ai_addr, &storage, length);
  return node;
}

bool Append(const std::vector<HostAddress>& addresses, const std::vector<SocketKind>& kinds,
            int flags, addrinfo** list) {
  addrinfo** end = list;
  for (const HostAddress& address : addresses) {
    for (const SocketKind& kind : kinds) {
      *end = MakeNode(address, kind, flags);
      if (*end == nullptr) return false;
      end = &(*end)->ai_next;
    }
  }
  return *list != nullptr;
}

}  // namespace

addrinfo* MakeAddressList(const std::vector<HostAddress>& addresses,
                          const std::vector<SocketKind>& kinds, int flags,
                          const char* canonical_name) {
  addrinfo* list = nullptr;
  bool whole = Append(addresses, kinds, flags, &list);
  if (whole && canonical_name != nullptr) {
    list->ai_canonname = strdup(canonical_name);
    whole = list->ai_canonname != nullptr;
  }
  if (whole) return list;
  FreeAddressList(list);
  return nullptr;
}

void FreeAddressList(addrinfo* list) {
  while (list != nullptr) {
    addrinfo* const next = list->ai_next;
    std::free(list->ai_canonname);
    std::free(list);
    list = next;
  }
}

}  // namespace sockgate
