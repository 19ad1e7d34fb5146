#include "proto/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

IpAddress IpAddress::V4(const V4Bytes& bytes) {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

IpAddress IpAddress::V6(const V6Bytes& bytes) {
  IpAddress address;
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin())) {
    std::copy(bytes.begin() + kMappedPrefix.size(), bytes.end(), address.bytes_.begin());
    return address;
  }
  address.bytes_ = bytes;
  address.size_ = 16;
  return address;
}

std::optional<IpAddress> IpAddress::Parse(absl::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated;
  // A NUL inside would let "127.0.0.1\0x" pass for its beginning.
  if (text.size() >= terminated.size() || text.find('\0') != absl::string_view::npos) {
    return std::nullopt;
  }
  *std::copy(text.begin(), text.end(), terminated.begin()) = '\0';
  V4Bytes v4;
  if (inet_pton(AF_INET, terminated.data(), v4.data()) == 1) return V4(v4);
  V6Bytes v6;
  if (inet_pton(AF_INET6, terminated.data(), v6.data()) == 1) return V6(v6);
  return std::nullopt;
}

std::string IpAddress::ToString() const {
  std::string text;
  AppendTo(&text);
  return text;
}

void IpAddress::AppendTo(std::string* out) const {
  if (is_v4()) {
    // inet_ntop(3) would take several times as long, and every audit line has an address.
    absl::StrAppend(out, bytes_[0], ".", bytes_[1], ".", bytes_[2], ".", bytes_[3]);
    return;
  }
  std::array<char, INET6_ADDRSTRLEN> text;
  // glibc's inet_ntop follows RFC 5952: lower case, the first longest run of two or more zero
  // groups.
  inet_ntop(AF_INET6, data(), text.data(), text.size());
  out->append(text.data());
}

}  // namespace sockgate
