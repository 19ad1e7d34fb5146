// Fuzzes ranges of addresses and sets of ports: whatever parses must print as text that parses to
// the same, and must end exactly where it says.
//
//   bazel run --config=fuzz //tests/fuzz:cidr_fuzzer -- -max_total_time=30

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "broker/policy/cidr.h"
#include "broker/policy/port_set.h"
#include "proto/check.h"

namespace sockgate {
namespace {

using Bytes = IpAddress::V6Bytes;

Bytes BytesOf(const IpAddress& address) {
  Bytes bytes = {};
  std::copy(address.data(), address.data() + address.size(), bytes.begin());
  return bytes;
}

IpAddress AddressOf(const Bytes& bytes, bool is_v4) {
  return is_v4 ? IpAddress::V4({bytes[0], bytes[1], bytes[2], bytes[3]}) : IpAddress::V6(bytes);
}

IpAddress LastOf(const Cidr& range) {
  Bytes bytes = BytesOf(range.base());
  for (int bit = range.prefix(); bit < range.base().bits(); ++bit) {
    bytes[static_cast<size_t>(bit) / 8] |= static_cast<uint8_t>(0x80 >> bit % 8);
  }
  return AddressOf(bytes, range.is_v4());
}

// The address one further up or down; nothing beyond the ends of the family.
std::optional<IpAddress> Neighbour(const IpAddress& address, int step) {
  Bytes bytes = BytesOf(address);
  const uint8_t wraps_at = step > 0 ? 0xff : 0;
  for (size_t i = address.size(); i-- > 0;) {
    const bool carry = bytes[i] == wraps_at;
    bytes[i] = static_cast<uint8_t>(bytes[i] + step);
    if (!carry) return AddressOf(bytes, address.is_v4());
  }
  return std::nullopt;
}

void CheckEnds(const Cidr& range) {
  const IpAddress last = LastOf(range);
  SOCKGATE_CHECK(range.Contains(range.base()));
  // ::/64 and the like run into the IPv4-mapped addresses, which are IPv4 here.
  SOCKGATE_CHECK(range.Contains(last) || last.is_v4() != range.is_v4());
  const auto before = Neighbour(range.base(), -1);
  const auto after = Neighbour(last, 1);
  SOCKGATE_CHECK(!before.has_value() || !range.Contains(*before));
  SOCKGATE_CHECK(!after.has_value() || !range.Contains(*after));
}

void CheckRange(const Cidr& range) {
  SOCKGATE_CHECK(range.prefix() >= 0 && range.prefix() <= range.base().bits());
  const auto again = Cidr::Parse(range.ToString());
  SOCKGATE_CHECK(again.has_value() && *again == range);
  SOCKGATE_CHECK(range.Contains(*again));
  CheckEnds(range);
}

void CheckPorts(const PortSet& ports) {
  SOCKGATE_CHECK(!ports.ranges().empty());
  SOCKGATE_CHECK(!ports.Contains(0));
  for (const PortSet::Range& range : ports.ranges()) {
    SOCKGATE_CHECK(0 < range.first && range.first <= range.last);
    SOCKGATE_CHECK(ports.Contains(range.first) && ports.Contains(range.last));
  }
  const auto again = PortSet::Parse(ports.ToString());
  SOCKGATE_CHECK(again.has_value());
  SOCKGATE_CHECK(ports.Covers(*again) && again->Covers(ports) && ports.Overlaps(*again));
  SOCKGATE_CHECK(ports.all() == ports.Covers(*PortSet::Parse("*")));
}

}  // namespace
}  // namespace sockgate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto range = sockgate::Cidr::Parse(text);
  if (range.has_value()) sockgate::CheckRange(*range);
  const auto ports = sockgate::PortSet::Parse(text);
  if (ports.has_value()) sockgate::CheckPorts(*ports);
  return 0;
}
