#include "broker/policy/cidr.h"

#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

// The bits of byte `index` that a prefix of this length covers.
uint8_t MaskByte(int prefix, size_t index) {
  const int bits = prefix - static_cast<int>(index) * 8;
  if (bits >= 8) return 0xff;
  if (bits <= 0) return 0;
  return static_cast<uint8_t>(0xff << (8 - bits));
}

std::optional<int> ParsePrefix(absl::string_view text, int most) {
  int prefix;
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  if (text.find_first_not_of("0123456789") != absl::string_view::npos) return std::nullopt;
  if (!absl::SimpleAtoi(text, &prefix) || prefix > most) return std::nullopt;
  return prefix;
}

}  // namespace

std::optional<Cidr> Cidr::Parse(absl::string_view text) {
  const size_t slash = text.find('/');
  const absl::string_view address = text.substr(0, slash);
  const auto base = IpAddress::Parse(address);
  if (!base.has_value()) return std::nullopt;
  const bool mapped = base->is_v4() && address.find(':') != absl::string_view::npos;
  if (mapped) return std::nullopt;
  if (slash == absl::string_view::npos) return Cidr(*base, base->bits());
  const auto prefix = ParsePrefix(text.substr(slash + 1), base->bits());
  if (!prefix.has_value()) return std::nullopt;
  const Cidr range = Around(*base, *prefix);
  if (range.base() != *base) return std::nullopt;
  return range;
}

Cidr Cidr::Around(const IpAddress& address, int prefix) {
  IpAddress::V6Bytes bytes = {};
  for (size_t i = 0; i < address.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(address.data()[i] & MaskByte(prefix, i));
  }
  if (!address.is_v4()) return Cidr(IpAddress::V6(bytes), prefix);
  return Cidr(IpAddress::V4({bytes[0], bytes[1], bytes[2], bytes[3]}), prefix);
}

bool Cidr::Contains(const IpAddress& address) const {
  if (address.size() != base_.size()) return false;
  const size_t whole = static_cast<size_t>(prefix_) / 8;
  if (std::memcmp(address.data(), base_.data(), whole) != 0) return false;
  if (whole == base_.size()) return true;
  return ((address.data()[whole] ^ base_.data()[whole]) & MaskByte(prefix_, whole)) == 0;
}

std::string Cidr::ToString() const { return absl::StrCat(base_.ToString(), "/", prefix_); }

}  // namespace sockgate
