#include "tests/proto/sample_packets.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "proto/limits.h"

namespace sockgate {
namespace {

constexpr char kStreamConnect[] = "02 000000 02000000  01 01 01 00 88130000";
constexpr char kResolvedReply[] = "83 000000 03000000  04 00 0000 00000000 00000000 00000000";

std::string LongestAbstractName() {
  return std::string(1, '\0') + std::string(kMaxUnixPathBytes - 1, 'a');
}

// Sixteen addresses of each family: 10.0.0.1 each, then 2001:db8::1 each.
std::string MostAddresses() {
  std::string bytes;
  for (size_t i = 0; i < kMaxAddressesPerFamily; ++i) bytes += Bytes("0a000001");
  for (size_t i = 0; i < kMaxAddressesPerFamily; ++i) {
    bytes += Bytes("20010db8 00000000 00000000 00000001");
  }
  return bytes;
}

}  // namespace

std::string Bytes(absl::string_view hex) {
  return absl::HexStringToBytes(absl::StrReplaceAll(hex, {{" ", ""}}));
}

absl::Span<const uint8_t> AsPacket(absl::string_view bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

std::vector<SamplePacket> SampleRequests() {
  const std::string connect = Bytes(kStreamConnect);
  return {
      {"hello", Bytes("01 000000 01000000  53474154 0100 0300 01000080")},
      {"connect_ipv4", connect + Bytes("01 00 bb01 00000000  c0000201 00000000 00000000 00000000")},
      {"connect_ipv6", Bytes("02 000000 ffffffff  02 02 02 00 f0490200"
                             "02 00 3500 02000000  fe800000 00000000 00000000 00000001")},
      {"connect_unix_path", connect + Bytes("03 06 0000 00000000  2f72756e2f78")},
      {"connect_unix_abstract", connect + Bytes("03 04 0000 00000000  00 61 00 0a")},
      {"connect_unix_longest", connect + Bytes("03 6c 0000 00000000") + LongestAbstractName()},
      {"resolve", Bytes("03 000000 03000000  01 0b 0000") + "example.org"},
      {"resolve_longest",
       Bytes("03 000000 00000000  03 fd 0000") + std::string(kMaxNameBytes, 'n')},
      {"open_channel", Bytes("04 000000 04000000")},
  };
}

std::vector<SamplePacket> SampleReplies() {
  const std::string resolved = Bytes(kResolvedReply);
  return {
      {"hello", Bytes("81 000000 01000000  0100 0001 00000000")},
      {"hello_no_common_version", Bytes("81 000000 01000000  0000 0000 00000000")},
      {"connect_connected", Bytes("82 000000 02000000  01 00 0000 01000000 00000000 00000000")},
      {"connect_started", Bytes("82 000000 02000000  02 00 0000 01000000 00000000 00000000")},
      {"connect_tracked", Bytes("82 000000 02000000  01 00 0100 01000000 00000000 00000000")},
      {"connect_denied", Bytes("82 000000 02000000  05 02 0000 07000000 00000000 00000000")},
      {"connect_failed", Bytes("82 000000 02000000  06 00 0000 01000000 6f000000 00000000")},
      {"connect_limited", Bytes("82 000000 02000000  07 05 0000 00000000 00000000 64000000")},
      {"connect_bad_request", Bytes("82 000000 02000000  08 04 0000 00000000 00000000 00000000")},
      {"resolve_resolved", resolved +
                               Bytes("2c010000 01 01 07 00  c0000201"
                                     "20010db8 00000000 00000000 00000001") +
                               "a.b.org"},
      {"resolve_most", resolved + Bytes("00000000 10 10 fd 00") + MostAddresses() +
                           std::string(kMaxNameBytes, 'n')},
      {"resolve_failed", Bytes("83 000000 03000000  06 00 0000 00000000 02000000 00000000"
                               "00000000 00 00 00 00")},
      {"open_channel_opened", Bytes("84 000000 04000000  03 00 0000 00000000 00000000 00000000")},
      {"open_channel_limited", Bytes("84 000000 04000000  07 07 0000 00000000 00000000 e8030000")},
  };
}

}  // namespace sockgate
