#include "proto/endpoint.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

static_assert(kMaxUnixPathBytes == sizeof(sockaddr_un::sun_path));

constexpr size_t kUnixNameOffset = offsetof(sockaddr_un, sun_path);

std::optional<Endpoint> FromUnix(const sockaddr* address, socklen_t length) {
  if (length <= kUnixNameOffset || length > sizeof(sockaddr_un)) return std::nullopt;
  const char* name = reinterpret_cast<const char*>(address) + kUnixNameOffset;
  size_t bytes = length - kUnixNameOffset;
  // For a pathname the length may or may not count the NUL and what follows it (unix(7)).
  if (name[0] != '\0') bytes = strnlen(name, bytes);
  return Endpoint::Unix({name, bytes});
}

void AppendUnixName(absl::string_view name, std::string* out) {
  out->append("unix:");
  if (name[0] == '\0') {
    out->push_back('@');
    name.remove_prefix(1);
  } else if (name[0] == '@') {
    // Or a pathname could pass for an abstract name in a log.
    out->append("\\x40");
    name.remove_prefix(1);
  }
  out->append(absl::CHexEscape(name));
}

}  // namespace

Endpoint Endpoint::Ip(const IpAddress& address, uint16_t port, uint32_t scope_id) {
  Endpoint endpoint;
  endpoint.ip_ = address;
  endpoint.port_ = port;
  endpoint.scope_id_ = address.is_v4() ? 0 : scope_id;
  return endpoint;
}

std::optional<Endpoint> Endpoint::Unix(absl::string_view name) {
  if (name.empty() || name.size() > kMaxUnixPathBytes) return std::nullopt;
  const bool abstract = name[0] == '\0';
  if (abstract && name.size() == 1) return std::nullopt;  // would ask for an autobound address
  if (!abstract && name.size() == kMaxUnixPathBytes) return std::nullopt;  // no room for the NUL
  if (!abstract && name.find('\0') != absl::string_view::npos) return std::nullopt;
  Endpoint endpoint;
  std::copy(name.begin(), name.end(), endpoint.unix_name_.begin());
  endpoint.unix_bytes_ = static_cast<uint8_t>(name.size());
  return endpoint;
}

std::optional<Endpoint> Endpoint::FromSockaddr(const sockaddr* address, socklen_t length) {
  if (length < sizeof(sa_family_t)) return std::nullopt;
  sa_family_t family;
  std::memcpy(&family, address, sizeof(family));
  if (family == AF_UNIX) return FromUnix(address, length);
  if (family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof(v4));
    IpAddress::V4Bytes bytes;
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return Ip(IpAddress::V4(bytes), ntohs(v4.sin_port));
  }
  if (family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof(v6));
    IpAddress::V6Bytes bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return Ip(IpAddress::V6(bytes), ntohs(v6.sin6_port), v6.sin6_scope_id);
  }
  return std::nullopt;
}

socklen_t Endpoint::ToSockaddr(sockaddr_storage* storage) const {
  std::memset(storage, 0, sizeof(*storage));
  switch (family()) {
    case Family::kIpv4: {
      auto* v4 = reinterpret_cast<sockaddr_in*>(storage);
      v4->sin_family = AF_INET;
      v4->sin_port = htons(port_);
      std::memcpy(&v4->sin_addr, ip_.data(), sizeof(v4->sin_addr));
      return sizeof(*v4);
    }
    case Family::kIpv6: {
      auto* v6 = reinterpret_cast<sockaddr_in6*>(storage);
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(port_);
      v6->sin6_scope_id = scope_id_;
      std::memcpy(&v6->sin6_addr, ip_.data(), sizeof(v6->sin6_addr));
      return sizeof(*v6);
    }
    case Family::kUnix:
      break;
  }
  auto* local = reinterpret_cast<sockaddr_un*>(storage);
  local->sun_family = AF_UNIX;
  std::memcpy(local->sun_path, unix_name_.data(), unix_bytes_);
  // A pathname's length counts its NUL; an abstract name's must not count a byte more than the
  // name.
  const size_t terminator = unix_name_[0] == '\0' ? 0 : 1;
  return static_cast<socklen_t>(kUnixNameOffset + unix_bytes_ + terminator);
}

Endpoint::Family Endpoint::family() const {
  if (!is_ip()) return Family::kUnix;
  return ip_.is_v4() ? Family::kIpv4 : Family::kIpv6;
}

int Endpoint::address_family() const {
  switch (family()) {
    case Family::kIpv4:
      return AF_INET;
    case Family::kIpv6:
      return AF_INET6;
    case Family::kUnix:
      break;
  }
  return AF_UNIX;
}

std::string Endpoint::ToString() const {
  std::string text;
  AppendTo(&text);
  return text;
}

void Endpoint::AppendTo(std::string* out) const {
  switch (family()) {
    case Family::kIpv4:
      ip_.AppendTo(out);
      break;
    case Family::kIpv6:
      out->push_back('[');
      ip_.AppendTo(out);
      if (scope_id_ != 0) absl::StrAppend(out, "%", scope_id_);
      out->push_back(']');
      break;
    case Family::kUnix:
      AppendUnixName(unix_name(), out);
      return;
  }
  absl::StrAppend(out, ":", port_);
}

}  // namespace sockgate
