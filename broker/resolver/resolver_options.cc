#include "broker/resolver/resolver_options.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/limits.h"

namespace sockgate {
namespace {

absl::Status OutOfBounds(absl::string_view member) {
  return absl::InvalidArgumentError(absl::StrCat("resolver: ", member, " is out of bounds"));
}

bool Within(const std::optional<uint32_t>& value, uint32_t least, uint32_t most) {
  return !value.has_value() || (*value >= least && *value <= most);
}

bool IsPath(absl::string_view path) {
  return path.size() <= kMaxResolverPathBytes && path.find('\0') == absl::string_view::npos;
}

bool IsDomain(absl::string_view domain) {
  if (domain.empty() || domain.size() > kMaxNameBytes) return false;
  for (const char c : domain) {
    if (c <= ' ' || c > '~') return false;
  }
  return true;
}

std::optional<uint16_t> ParsePort(absl::string_view text) {
  uint32_t port;
  const bool digits = text.find_first_not_of("0123456789") == absl::string_view::npos;
  if (!digits || !absl::SimpleAtoi(text, &port) || port == 0 || port > UINT16_MAX) {
    return std::nullopt;
  }
  return static_cast<uint16_t>(port);
}

}  // namespace

std::optional<Endpoint> ParseNameServer(absl::string_view text) {
  absl::string_view host = text;
  absl::string_view port;
  if (!text.empty() && text[0] == '[') {
    const size_t end = text.find(']');
    if (end == absl::string_view::npos || text.find(':') > end) return std::nullopt;
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (const size_t colon = text.find(':'); colon == text.rfind(':')) {
    host = text.substr(0, colon);
    port = text.substr(host.size());
  }
  const auto address = IpAddress::Parse(host);
  if (!address.has_value() || address->is_unspecified()) return std::nullopt;
  if (port.empty()) return Endpoint::Ip(*address, 0);
  const auto number = port[0] == ':' ? ParsePort(port.substr(1)) : std::nullopt;
  if (!number.has_value()) return std::nullopt;
  return Endpoint::Ip(*address, *number);
}

absl::Status CheckResolverOptions(const ResolverOptions& options) {
  if (options.servers.size() > kMaxResolverServers) return OutOfBounds("servers");
  for (const Endpoint& server : options.servers) {
    if (!server.is_ip()) return OutOfBounds("servers");
  }
  if (!Within(options.timeout_ms, 1, kMaxResolverTimeoutMs)) return OutOfBounds("timeout_ms");
  if (!Within(options.tries, 1, kMaxResolverTries)) return OutOfBounds("tries");
  if (!Within(options.ndots, 0, kMaxNdots)) return OutOfBounds("ndots");
  if (options.search.size() > kMaxSearchDomains) return OutOfBounds("search");
  for (const std::string& domain : options.search) {
    if (!IsDomain(domain)) return OutOfBounds("search");
  }
  const TtlBounds& ttl = options.ttl;
  if (ttl.least_s > ttl.most_s || ttl.most_s > kMaxTtlSeconds ||
      ttl.most_negative_s > kMaxTtlSeconds) {
    return OutOfBounds("ttl");
  }
  if (!IsPath(options.resolv_conf)) return OutOfBounds("resolv_conf");
  if (!IsPath(options.hosts_file)) return OutOfBounds("hosts_file");
  return absl::OkStatus();
}

}  // namespace sockgate
