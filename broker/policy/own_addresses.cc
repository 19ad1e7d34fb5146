#include "broker/policy/own_addresses.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "proto/endpoint.h"

namespace sockgate {
namespace {

constexpr absl::string_view kLoopback = "127.0.0.0/8";

std::optional<IpAddress> AddressOf(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  socklen_t length = 0;
  if (address->sa_family == AF_INET) length = sizeof(sockaddr_in);
  if (address->sa_family == AF_INET6) length = sizeof(sockaddr_in6);
  const auto endpoint = length == 0 ? std::nullopt : Endpoint::FromSockaddr(address, length);
  if (!endpoint.has_value() || !endpoint->is_ip()) return std::nullopt;
  return endpoint->ip();
}

}  // namespace

absl::StatusOr<std::vector<Cidr>> OwnAddresses() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return absl::ErrnoToStatus(errno, "getifaddrs");
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owned(list, freeifaddrs);
  // Even when the interface is down: it may come up later.
  std::vector<Cidr> own = {*Cidr::Parse(kLoopback), *Cidr::Parse("::1")};
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    const auto address = AddressOf(one->ifa_addr);
    if (!address.has_value()) continue;
    const auto covers = [&](const Cidr& cidr) { return cidr.Contains(*address); };
    if (std::any_of(own.begin(), own.end(), covers)) continue;
    own.push_back(*Cidr::Parse(address->ToString()));
  }
  return own;
}

}  // namespace sockgate
