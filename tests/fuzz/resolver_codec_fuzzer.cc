// Fuzzes the codecs between broker, resolver and keeper: whatever decodes must encode to the very
// same bytes, and what does not must name a field.
//
//   bazel run --config=fuzz //tests/fuzz:resolver_codec_fuzzer -- -max_total_time=30

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "broker/resolver/keeper_orders.h"
#include "broker/resolver/resolver_codec.h"
#include "proto/check.h"

namespace sockgate {
namespace {

using Packet = absl::Span<const uint8_t>;

template <typename Message>
void CheckTotal(Packet packet, Decoded (*decode)(Packet, Message*),
                size_t (*encode)(const Message&, absl::Span<uint8_t>)) {
  Message message;
  const Decoded decoded = decode(packet, &message);
  if (!decoded.ok()) {
    SOCKGATE_CHECK(decoded.bad_field()[0] != '\0');
    return;
  }
  std::vector<uint8_t> again(kMaxKeeperOrderBytes);
  const size_t size = encode(message, absl::MakeSpan(again));
  SOCKGATE_CHECK(size == packet.size() && std::memcmp(again.data(), packet.data(), size) == 0);
}

}  // namespace
}  // namespace sockgate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sockgate;
  const Packet packet(data, size);
  CheckTotal<ResolverQuestion>(packet, DecodeQuestion, Encode);
  CheckTotal<ResolverAnswer>(packet, DecodeAnswer, Encode);
  CheckTotal<ServerList>(packet, DecodeServerList, Encode);
  CheckTotal<SocketOrder>(packet, DecodeSocketOrder, Encode);
  CheckTotal<SocketReply>(packet, DecodeSocketReply, Encode);
  CheckTotal<KeeperOrder>(packet, DecodeKeeperOrder, EncodeKeeperOrder);
  return 0;
}
