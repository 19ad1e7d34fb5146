#include "tool/host_lookup.h"

#include <netdb.h>

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "proto/endpoint.h"

namespace sockgate {

absl::StatusOr<std::vector<IpAddress>> LookUpHost(const std::string& host) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    return absl::NotFoundError(absl::StrCat("cannot look up '", host, "': ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  std::vector<IpAddress> addresses;
  for (const addrinfo* node = list; node != nullptr; node = node->ai_next) {
    const auto endpoint = Endpoint::FromSockaddr(node->ai_addr, node->ai_addrlen);
    if (!endpoint.has_value()) continue;
    const bool known =
        std::find(addresses.begin(), addresses.end(), endpoint->ip()) != addresses.end();
    if (!known) addresses.push_back(endpoint->ip());
  }
  if (addresses.empty()) return absl::NotFoundError(absl::StrCat("'", host, "' has no address"));
  return addresses;
}

}  // namespace sockgate
