// One valid packet of every kind and shape, as literal bytes, for tests that damage them.

#ifndef SOCKGATE_TESTS_PROTO_SAMPLE_PACKETS_H_
#define SOCKGATE_TESTS_PROTO_SAMPLE_PACKETS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace sockgate {

struct SamplePacket {
  std::string name;
  std::string bytes;
};

// Hexadecimal digits to bytes; spaces are skipped.
std::string Bytes(absl::string_view hex);

absl::Span<const uint8_t> AsPacket(absl::string_view bytes);

std::vector<SamplePacket> SampleRequests();
std::vector<SamplePacket> SampleReplies();

}  // namespace sockgate

#endif  // SOCKGATE_TESTS_PROTO_SAMPLE_PACKETS_H_
