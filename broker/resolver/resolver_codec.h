// The codec of the resolver's two channels: messages to bytes and back. RESOLVER.md gives each
// layout.
//
// Process: broker and resolver. Pure functions; only names and the server list are allocated.
// Hostile input: the decoders are total. Any byte string either is the one encoding of a valid
// message or is refused with the name of the field at fault.

#ifndef SOCKGATE_BROKER_RESOLVER_RESOLVER_CODEC_H_
#define SOCKGATE_BROKER_RESOLVER_RESOLVER_CODEC_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "broker/resolver/resolver_messages.h"
#include "broker/resolver/socket_orders.h"
#include "proto/codec.h"

namespace sockgate {

// On failure `*message` is unspecified.
Decoded DecodeQuestion(absl::Span<const uint8_t> packet, ResolverQuestion* question);
Decoded DecodeAnswer(absl::Span<const uint8_t> packet, ResolverAnswer* answer);
Decoded DecodeServerList(absl::Span<const uint8_t> packet, ServerList* list);
Decoded DecodeSocketOrder(absl::Span<const uint8_t> packet, SocketOrder* order);
Decoded DecodeSocketReply(absl::Span<const uint8_t> packet, SocketReply* reply);

// Returns how many bytes of `packet` were written, or 0 when the message is one that no decoder
// would take. kMaxPacketBytes always suffice.
[[nodiscard]] size_t Encode(const ResolverQuestion& question, absl::Span<uint8_t> packet);
[[nodiscard]] size_t Encode(const ResolverAnswer& answer, absl::Span<uint8_t> packet);
[[nodiscard]] size_t Encode(const ServerList& list, absl::Span<uint8_t> packet);
[[nodiscard]] size_t Encode(const SocketOrder& order, absl::Span<uint8_t> packet);
[[nodiscard]] size_t Encode(const SocketReply& reply, absl::Span<uint8_t> packet);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_RESOLVER_CODEC_H_
