// Fuzzes the codec: whatever decodes must encode to the very same bytes, what does not must name a
// field, and an endpoint that came off the wire must survive the way through a sockaddr.
//
// For a bounded time, with clang's libFuzzer; what it finds stays in the output tree:
//   bazel run --config=fuzz //tests/fuzz:codec_fuzzer -- -max_total_time=30
// An ordinary `bazel test` runs the same function from fuzz_driver_main.cc.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "proto/check.h"
#include "proto/codec.h"
#include "proto/endpoint.h"
#include "proto/limits.h"
#include "proto/messages.h"

namespace sockgate {
namespace {

void CheckRefusal(const Decoded& decoded) {
  SOCKGATE_CHECK(decoded.bad_field() != nullptr && decoded.bad_field()[0] != '\0');
}

void CheckSame(absl::Span<const uint8_t> packet, absl::Span<const uint8_t> again) {
  SOCKGATE_CHECK(packet.size() == again.size());
  SOCKGATE_CHECK(packet.empty() || std::memcmp(packet.data(), again.data(), packet.size()) == 0);
}

void CheckEndpoint(const Endpoint& endpoint) {
  sockaddr_storage storage;
  const socklen_t length = endpoint.ToSockaddr(&storage);
  const auto back = Endpoint::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), length);
  SOCKGATE_CHECK(back.has_value() && *back == endpoint);
  for (const char c : endpoint.ToString()) SOCKGATE_CHECK(c >= ' ' && c <= '~');
}

void CheckAsRequest(absl::Span<const uint8_t> packet) {
  Request request;
  const Decoded decoded = DecodeRequest(packet, &request);
  if (!decoded.ok()) return CheckRefusal(decoded);
  std::array<uint8_t, kMaxPacketBytes> again;
  const size_t size = EncodeRequest(request, absl::MakeSpan(again));
  CheckSame(packet, absl::MakeConstSpan(again).first(size));
  if (const auto* connect = std::get_if<ConnectRequest>(&request.body)) {
    CheckEndpoint(connect->endpoint);
  }
}

void CheckAsReply(absl::Span<const uint8_t> packet) {
  Reply reply;
  const Decoded decoded = DecodeReply(packet, &reply);
  if (!decoded.ok()) return CheckRefusal(decoded);
  std::array<uint8_t, kMaxPacketBytes> again;
  const size_t size = EncodeReply(reply, absl::MakeSpan(again));
  CheckSame(packet, absl::MakeConstSpan(again).first(size));
}

}  // namespace
}  // namespace sockgate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sockgate::CheckAsRequest({data, size});
  sockgate::CheckAsReply({data, size});
  return 0;
}
