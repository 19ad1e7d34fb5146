#include "client/address_literal.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <cctype>
#include <cstring>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace sockgate {
namespace {

std::optional<IpAddress> ParseV4(const char* text) {
  // inet_aton takes anything after a space.
  if (text[std::strspn(text, "0123456789abcdefABCDEFxX.")] != '\0') return std::nullopt;
  in_addr address;
  if (inet_aton(text, &address) == 0) return std::nullopt;
  IpAddress::V4Bytes bytes;
  std::memcpy(bytes.data(), &address, bytes.size());
  return IpAddress::V4(bytes);
}

// Only a link's own addresses have zones that are known by an interface's name.
bool IsLinkLocal(const IpAddress& ip) {
  if (ip.is_v4()) return false;
  const uint8_t* bytes = ip.data();
  const bool unicast = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  const bool multicast = bytes[0] == 0xff && (bytes[1] & 0x0f) == 0x02;
  return unicast || multicast;
}

std::optional<uint32_t> ParseZone(const IpAddress& ip, const char* zone) {
  if (IsLinkLocal(ip)) {
    const uint32_t index = if_nametoindex(zone);
    if (index != 0) return index;
  }
  uint32_t number;
  // SimpleAtoi takes signs and spaces.
  if (std::isdigit(static_cast<unsigned char>(zone[0])) == 0) return std::nullopt;
  if (zone[std::strspn(zone, "0123456789")] != '\0') return std::nullopt;
  if (!absl::SimpleAtoi(zone, &number)) return std::nullopt;
  return number;
}

}  // namespace

LiteralKind ParseLiteral(const char* text, HostAddress* address) {
  if (const auto v4 = ParseV4(text)) {
    *address = {*v4, 0, false};
    return LiteralKind::kLiteral;
  }
  const absl::string_view whole(text);
  const size_t percent = whole.find('%');
  const absl::string_view host = whole.substr(0, percent);
  const auto v6 = host.find(':') == absl::string_view::npos ? std::nullopt : IpAddress::Parse(host);
  if (!v6.has_value()) return LiteralKind::kName;
  *address = {*v6, 0, v6->is_v4()};
  if (percent == absl::string_view::npos) return LiteralKind::kLiteral;
  const auto zone = ParseZone(*v6, text + percent + 1);
  if (!zone.has_value()) return LiteralKind::kBadZone;
  address->scope_id = *zone;
  return LiteralKind::kLiteral;
}

}  // namespace sockgate
