#include <sys/socket.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "library/c_client.h"
#include "library/c_error.h"
#include "library/connect_failure.h"
#include "library/sockgate.h"
#include "proto/endpoint.h"

struct sockgate_addresses {
  sockgate::ResolveResult result;
  std::vector<std::string> texts;
};

namespace sockgate::c {
namespace {

std::optional<NameFamily> FamilyOf(int family) {
  switch (family) {
    case AF_UNSPEC:
      return NameFamily::kAny;
    case AF_INET:
      return NameFamily::kIpv4;
    case AF_INET6:
      return NameFamily::kIpv6;
    default:
      return std::nullopt;
  }
}

}  // namespace
}  // namespace sockgate::c

using namespace sockgate;     // NOLINT(google-build-using-namespace)
using namespace sockgate::c;  // NOLINT(google-build-using-namespace)

int sockgate_resolve(sockgate_client* client, const char* name, int family,
                     sockgate_addresses** addresses, sockgate_error* error) {
  return Guarded(error, [&] {
    if (client == nullptr) return FailNull(error, "client");
    if (name == nullptr) return FailNull(error, "name");
    if (addresses == nullptr) return FailNull(error, "addresses");
    const auto wanted = FamilyOf(family);
    if (!wanted.has_value()) {
      return Fail(error, SOCKGATE_BAD_ARGUMENT,
                  "the family is none of AF_UNSPEC, AF_INET and AF_INET6");
    }
    auto found = std::make_unique<sockgate_addresses>();
    found->result = client->client->Resolve(name, *wanted);
    if (!found->result.error.ok()) return Fail(error, found->result.error);
    for (const IpAddress& address : found->result.addresses) {
      found->texts.push_back(address.ToString());
    }
    *addresses = found.release();
    return int{SOCKGATE_OK};
  });
}

size_t sockgate_addresses_count(const sockgate_addresses* addresses) {
  return addresses == nullptr ? 0 : addresses->texts.size();
}

const char* sockgate_addresses_text(const sockgate_addresses* addresses, size_t index) {
  return index < sockgate_addresses_count(addresses) ? addresses->texts[index].c_str() : nullptr;
}

int sockgate_addresses_get(const sockgate_addresses* addresses, size_t index, uint16_t port,
                           struct sockaddr_storage* address, socklen_t* length) {
  if (address == nullptr || length == nullptr || index >= sockgate_addresses_count(addresses)) {
    return SOCKGATE_BAD_ARGUMENT;
  }
  *length = Endpoint::Ip(addresses->result.addresses[index], port).ToSockaddr(address);
  return SOCKGATE_OK;
}

uint32_t sockgate_addresses_ttl(const sockgate_addresses* addresses) {
  return addresses == nullptr ? 0 : addresses->result.ttl_seconds;
}

const char* sockgate_addresses_canonical_name(const sockgate_addresses* addresses) {
  return addresses == nullptr ? "" : addresses->result.canonical_name.c_str();
}

void sockgate_addresses_free(sockgate_addresses* addresses) { delete addresses; }
