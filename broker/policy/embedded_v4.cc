#include "broker/policy/embedded_v4.h"

#include <algorithm>
#include <cstdint>

namespace sockgate {
namespace {

// Which four bytes of an IPv6 address hold the IPv4 address.
using Place = std::array<uint8_t, 4>;

constexpr Place kLastFour = {12, 13, 14, 15};

// Fixed prefix, fixed place.
struct Form {
  absl::string_view name;
  IpAddress::V6Bytes prefix;
  uint8_t prefix_bytes;
  Place place;
  uint8_t flip;  // each byte is stored XOR this
};

constexpr Form kForms[] = {
    {"IPv4-compatible", {}, 12, kLastFour, 0},  // RFC 4291 section 2.5.5.1
    {"IPv4-translated", {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 12, kLastFour, 0},  // RFC 2765
    {"NAT64", {0x00, 0x64, 0xff, 0x9b}, 12, kLastFour, 0},                        // RFC 6052
    {"6to4", {0x20, 0x02}, 2, {2, 3, 4, 5}, 0},                                   // RFC 3056
    {"Teredo server", {0x20, 0x01, 0, 0}, 4, {4, 5, 6, 7}, 0},                    // RFC 4380
    {"Teredo client", {0x20, 0x01, 0, 0}, 4, kLastFour, 0xff},
};

// RFC 8215 leaves it to each network how much of this its translators' prefix takes, and RFC 6052
// section 2.2 puts the IPv4 address behind that prefix.
constexpr std::array<uint8_t, 6> kLocalPrefix = {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01};
constexpr size_t kReservedByte = 8;

struct LocalForm {
  absl::string_view name;
  Place place;
};

constexpr LocalForm kLocalForms[] = {
    {"local-use NAT64 /48", {6, 7, 9, 10}},
    {"local-use NAT64 /56", {7, 9, 10, 11}},
    {"local-use NAT64 /64", {9, 10, 11, 12}},
};
constexpr absl::string_view kLocal96 = "local-use NAT64 /96";

IpAddress At(const IpAddress& address, const Place& place, uint8_t flip = 0) {
  IpAddress::V4Bytes v4;
  for (size_t i = 0; i < v4.size(); ++i) {
    v4[i] = static_cast<uint8_t>(address.data()[place[i]] ^ flip);
  }
  return IpAddress::V4(v4);
}

void AddOnce(EmbeddedV4List* found, const EmbeddedV4& embedded) {
  for (const EmbeddedV4& known : *found) {
    if (known.address == embedded.address) return;
  }
  found->Add(embedded);
}

bool AllZero(const uint8_t* begin, const uint8_t* end) {
  return std::all_of(begin, end, [](uint8_t byte) { return byte == 0; });
}

// A prefix of 96 bits hardly has anything in its last 32; where there is something it may be of a
// shorter form, whose reserved byte and suffix a translator need not look at. A worker would put
// there whatever hides the address.
bool IsPlausible(const IpAddress& address, const Place& place) {
  const uint8_t* const data = address.data();
  return !AllZero(data + kReservedByte, data + kLastFour.front()) ||
         AllZero(data + place.back() + 1, data + address.size());
}

// 0.0.0.0/8 is this network (RFC 1122): no translator can deliver it.
bool IsDeliverable(const IpAddress& v4) { return v4.data()[0] != 0; }

void AddLocalNat64(const IpAddress& address, EmbeddedV4List* found) {
  if (!std::equal(kLocalPrefix.begin(), kLocalPrefix.end(), address.data())) return;
  // The zeros of one form are an address to another. If that counted, nothing of a short form could
  // ever be allowed.
  for (const LocalForm& form : kLocalForms) {
    const IpAddress v4 = At(address, form.place);
    if (IsPlausible(address, form.place) && IsDeliverable(v4)) AddOnce(found, {v4, form.name});
  }
  const IpAddress last = At(address, kLastFour);
  if (IsDeliverable(last) || found->empty()) AddOnce(found, {last, kLocal96});
}

// RFC 5214 section 6.1: an interface identifier, so any prefix may stand before it.
bool IsIsatap(const IpAddress& address) {
  const uint8_t* id = address.data() + 8;
  constexpr uint8_t kUniversalBit = 0x02;
  return (id[0] & ~kUniversalBit) == 0 && id[1] == 0 && id[2] == 0x5e && id[3] == 0xfe;
}

// The first addresses of ::/96 have meanings of their own.
bool IsUnspecifiedOrLoopback(const IpAddress& address) {
  constexpr IpAddress::V6Bytes kLoopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address.is_unspecified() || address == IpAddress::V6(kLoopback);
}

}  // namespace

EmbeddedV4List FindEmbeddedV4(const IpAddress& address) {
  EmbeddedV4List found;
  if (address.is_v4() || IsUnspecifiedOrLoopback(address)) return found;
  for (const Form& form : kForms) {
    if (!std::equal(address.data(), address.data() + form.prefix_bytes, form.prefix.begin())) {
      continue;
    }
    AddOnce(&found, {At(address, form.place, form.flip), form.name});
  }
  AddLocalNat64(address, &found);
  if (IsIsatap(address)) AddOnce(&found, {At(address, kLastFour), "ISATAP"});
  return found;
}

}  // namespace sockgate
