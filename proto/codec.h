// The codec: messages to bytes and back. PROTOCOL.md gives each layout.
//
// Process: any. Pure functions over the caller's buffers; nothing is allocated.
// Hostile input: the decoders are total. Any byte string either is the one encoding of a valid
// message or is refused with the name of the field at fault; there is no third way, so
// decode(encode(m)) == m and encode(decode(b)) == b.

#ifndef SOCKGATE_PROTO_CODEC_H_
#define SOCKGATE_PROTO_CODEC_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "proto/messages.h"

namespace sockgate {

// What a decoder says.
class [[nodiscard]] Decoded {
 public:
  static Decoded Ok() { return Decoded(nullptr); }
  static Decoded Bad(const char* field) { return Decoded(field); }

  bool ok() const { return bad_field_ == nullptr; }
  // The field at fault as PROTOCOL.md spells it; null when ok().
  const char* bad_field() const { return bad_field_; }

 private:
  explicit Decoded(const char* bad_field) : bad_field_(bad_field) {}
  const char* bad_field_;
};

// On success `*request` is filled, and views in it point into `packet`.
Decoded DecodeRequest(absl::Span<const uint8_t> packet, Request* request);
Decoded DecodeReply(absl::Span<const uint8_t> packet, Reply* reply);

// Returns how many bytes of `packet` were written, or 0 when the message breaks a bound that its
// type cannot express (a name that is too long, a count over its array). kMaxPacketBytes always
// suffice.
[[nodiscard]] size_t EncodeRequest(const Request& request, absl::Span<uint8_t> packet);
[[nodiscard]] size_t EncodeReply(const Reply& reply, absl::Span<uint8_t> packet);

}  // namespace sockgate

#endif  // SOCKGATE_PROTO_CODEC_H_
