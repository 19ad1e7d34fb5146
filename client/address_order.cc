#include "client/address_order.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace sockgate {
namespace {

// Section 3.1 has the numbers of RFC 4291's multicast scopes for unicast too.
constexpr int kLinkLocal = 0x2;
constexpr int kSiteLocal = 0x5;
constexpr int kGlobal = 0xe;

struct Prefix {
  std::array<uint8_t, 2> bytes;  // all prefixes but ::/96 and ::1 differ in the first four bytes,
  uint8_t bits;                  // the last two of which are zero in the one that is so long
  int precedence;
};

// Section 2.1, without ::1, ::/96 and ::ffff:0:0/96, which are told apart in PrecedenceOf().
constexpr Prefix kPrefixes[] = {
    {{0x20, 0x02}, 16, 30},  // 6to4
    {{0x20, 0x01}, 32, 5},   // Teredo, 2001::/32
    {{0xfc, 0x00}, 7, 3},    // unique local
    {{0xfe, 0xc0}, 10, 1},   // site-local, deprecated
    {{0x3f, 0xfe}, 16, 1},   // 6bone
};
constexpr int kPrecedenceOfLoopback = 50;
constexpr int kPrecedenceOfRest = 40;
constexpr int kPrecedenceOfV4 = 35;
constexpr int kPrecedenceOfCompatible = 1;

bool Covers(const Prefix& prefix, const uint8_t* address) {
  const std::array<uint8_t, 4> padded = {prefix.bytes[0], prefix.bytes[1], 0, 0};
  for (int bit = 0; bit < prefix.bits; ++bit) {
    const auto byte = static_cast<size_t>(bit / 8);
    if ((((padded[byte] ^ address[byte]) << (bit % 8)) & 0x80) != 0) return false;
  }
  return true;
}

bool ZeroBut(const uint8_t* address, size_t last) {
  return std::all_of(address, address + 16 - last, [](uint8_t byte) { return byte == 0; });
}

}  // namespace

int PrecedenceOf(const IpAddress& address) {
  if (address.is_v4()) return kPrecedenceOfV4;
  const uint8_t* bytes = address.data();
  if (ZeroBut(bytes, 1) && bytes[15] == 1) return kPrecedenceOfLoopback;
  if (ZeroBut(bytes, 4)) return kPrecedenceOfCompatible;
  for (const Prefix& prefix : kPrefixes) {
    if (Covers(prefix, bytes)) return prefix.precedence;
  }
  return kPrecedenceOfRest;
}

int ScopeOf(const IpAddress& address) {
  const uint8_t* bytes = address.data();
  if (address.is_v4()) {
    // Section 3.2: private addresses are global here.
    const bool link = bytes[0] == 127 || (bytes[0] == 169 && bytes[1] == 254);
    return link ? kLinkLocal : kGlobal;
  }
  if (bytes[0] == 0xff) return bytes[1] & 0x0f;
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) return kLinkLocal;
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0xc0) return kSiteLocal;
  return ZeroBut(bytes, 1) && bytes[15] == 1 ? kLinkLocal : kGlobal;
}

void OrderAddresses(std::vector<HostAddress>* addresses) {
  std::stable_sort(addresses->begin(), addresses->end(),
                   [](const HostAddress& a, const HostAddress& b) {
                     return std::make_pair(-PrecedenceOf(a.ip), ScopeOf(a.ip)) <
                            std::make_pair(-PrecedenceOf(b.ip), ScopeOf(b.ip));
                   });
}

}  // namespace sockgate
