#include "client/name_lookup.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/address_list.h"
#include "client/address_literal.h"
#include "client/address_order.h"
#include "client/lookup_log.h"
#include "client/socket_kinds.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;

// All flags that glibc knows; three of them have no name in its header any more.
constexpr int kKnownFlags = 0x7ff;

struct Found {
  std::vector<HostAddress> addresses;
  std::string canonical_name;
};

bool Wants(const addrinfo& hints, int flag) { return (hints.ai_flags & flag) != 0; }

int CheckHints(const char* node, const char* service, const addrinfo& hints) {
  if (node == nullptr && service == nullptr) return EAI_NONAME;
  if ((hints.ai_flags & ~kKnownFlags) != 0) return EAI_BADFLAGS;
  if (Wants(hints, AI_CANONNAME) && node == nullptr) return EAI_BADFLAGS;
  const int family = hints.ai_family;
  return family == AF_UNSPEC || family == AF_INET || family == AF_INET6 ? 0 : EAI_FAMILY;
}

// The addresses to bind to, or those of the machine itself.
void FindOwn(const addrinfo& hints, Found* found) {
  const uint8_t last = Wants(hints, AI_PASSIVE) ? 0 : 1;
  const IpAddress v6 = IpAddress::V6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
  const IpAddress v4 = last == 0 ? IpAddress() : IpAddress::V4({127, 0, 0, 1});
  if (hints.ai_family != AF_INET) found->addresses.push_back({v6, 0, false});
  if (hints.ai_family != AF_INET6) found->addresses.push_back({v4, 0, false});
}

int FindLiteral(HostAddress address, const addrinfo& hints, Found* found) {
  const bool is_v4 = address.ip.is_v4();
  if (hints.ai_family == AF_INET) {
    if (!is_v4) return EAI_ADDRFAMILY;
    address.mapped = false;
  } else if (hints.ai_family == AF_INET6 && is_v4) {
    if (!address.mapped && !Wants(hints, AI_V4MAPPED)) return EAI_ADDRFAMILY;
    address.mapped = true;
  }
  found->addresses.push_back(address);
  return 0;
}

NameFamily FamilyToAsk(const addrinfo& hints) {
  if (hints.ai_family == AF_INET) return NameFamily::kIpv4;
  const bool v6_only = hints.ai_family == AF_INET6 && !Wants(hints, AI_V4MAPPED);
  return v6_only ? NameFamily::kIpv6 : NameFamily::kAny;
}

void AddFamily(const std::vector<IpAddress>& addresses, bool v4, bool mapped, Found* found) {
  for (const IpAddress& ip : addresses) {
    if (ip.is_v4() == v4) found->addresses.push_back({ip, 0, mapped});
  }
}

void Choose(const std::vector<IpAddress>& addresses, const addrinfo& hints, Found* found) {
  if (hints.ai_family != AF_INET) AddFamily(addresses, false, false, found);
  if (hints.ai_family != AF_INET6) {
    AddFamily(addresses, true, false, found);
  } else if (Wants(hints, AI_V4MAPPED) && (found->addresses.empty() || Wants(hints, AI_ALL))) {
    AddFamily(addresses, true, true, found);
  }
}

int CodeOfLookup(int error_number) {
  switch (error_number) {
    case ENOENT:
      return EAI_NONAME;
    case ENODATA:
      return EAI_NODATA;
    case EAGAIN:
      return EAI_AGAIN;
    default:
      return EAI_FAIL;
  }
}

int CodeOf(const ConnectError& error) {
  if (error.WillReconnect()) return EAI_AGAIN;
  switch (error.kind) {
    case Kind::kLookup:
      return CodeOfLookup(error.error_number);
    case Kind::kBadRequest:
      return EAI_NONAME;
    case Kind::kLimited:
    case Kind::kNoAnswer:
      return EAI_AGAIN;
    case Kind::kTableFull:
      return EAI_SYSTEM;
    default:
      return EAI_FAIL;
  }
}

int Fail(absl::string_view name, const ConnectError& error) {
  RecordFailedLookup(name, error);
  errno = error.error_number;
  return CodeOf(error);
}

int FindName(BrokerClient& client, const char* name, const addrinfo& hints, Found* found) {
  ResolveResult result = client.Resolve(name, FamilyToAsk(hints));
  if (!result.error.ok()) return Fail(name, result.error);
  Choose(result.addresses, hints, found);
  if (found->addresses.empty()) return Fail(name, ConnectError::Local(Kind::kLookup, ENODATA));
  found->canonical_name = std::move(result.canonical_name);
  return 0;
}

int Find(BrokerClient& client, const char* node, const addrinfo& hints, Found* found) {
  if (node == nullptr) {
    FindOwn(hints, found);
    return 0;
  }
  HostAddress literal;
  switch (ParseLiteral(node, &literal)) {
    case LiteralKind::kLiteral:
      return FindLiteral(literal, hints, found);
    case LiteralKind::kBadZone:
      return EAI_NONAME;
    case LiteralKind::kName:
      break;
  }
  if (*node == '\0' || Wants(hints, AI_NUMERICHOST)) return EAI_NONAME;
  return FindName(client, node, hints, found);
}

// glibc takes an asterisk for nothing at all.
const char* OrNull(const char* text) {
  return text != nullptr && absl::string_view(text) == "*" ? nullptr : text;
}

}  // namespace

int LookUp(BrokerClient& client, const ServiceTable& services, const char* node,
           const char* service, const addrinfo* hints, addrinfo** list) {
  // What getaddrinfo(3) says a null pointer means.
  addrinfo asked = {};
  asked.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG;
  if (hints != nullptr) asked = *hints;
  node = OrNull(node);
  service = OrNull(service);

  std::vector<SocketKind> kinds;
  Found found;
  int code = CheckHints(node, service, asked);
  if (code == 0) code = ListSocketKinds(asked, service, services, &kinds);
  if (code == 0) code = Find(client, node, asked, &found);
  if (code != 0) return code;

  OrderAddresses(&found.addresses);
  const char* canonical_name = nullptr;
  if (Wants(asked, AI_CANONNAME)) {
    canonical_name = found.canonical_name.empty() ? node : found.canonical_name.c_str();
  }
  *list = MakeAddressList(found.addresses, kinds, asked.ai_flags, canonical_name);
  return *list == nullptr ? EAI_MEMORY : 0;
}

}  // namespace sockgate
