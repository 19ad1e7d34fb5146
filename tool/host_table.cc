#include "tool/host_table.h"

#include <netdb.h>

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/endpoint.h"

namespace sockgate {
namespace {

absl::StatusOr<std::vector<IpAddress>> AskSystem(const std::string& host) {
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

void AppendLiteral(std::string* out, const IpAddress& address) {
  absl::StrAppend(out, address.is_v4() ? "" : "[", address.ToString(), address.is_v4() ? "" : "]");
}

}  // namespace

absl::StatusOr<std::vector<IpAddress>> HostTable::LookUp(const std::string& host) {
  const auto known = addresses_.find(host);
  if (known != addresses_.end()) return known->second;
  auto answer = AskSystem(host);
  if (answer.ok()) addresses_.emplace(host, *answer);
  return answer;
}

std::vector<std::string> HostTable::ResolveEntries(const std::set<uint16_t>& ports) const {
  std::vector<std::string> entries;
  for (const auto& [host, addresses] : addresses_) {
    const std::string literals = absl::StrJoin(addresses, ",", AppendLiteral);
    for (const uint16_t port : ports) {
      entries.push_back(absl::StrCat(host, ":", port, ":", literals));
    }
  }
  return entries;
}

}  // namespace sockgate
