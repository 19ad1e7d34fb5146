// What the broker tells the keeper, and its codec.
//
// Process: broker and keeper. Both are trusted; the decoder is total all the same, for the broker
// is the one of the two that hears strangers.

#ifndef SOCKGATE_BROKER_RESOLVER_KEEPER_ORDERS_H_
#define SOCKGATE_BROKER_RESOLVER_KEEPER_ORDERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "broker/resolver/resolver_options.h"
#include "proto/codec.h"

namespace sockgate {

// Enough for every order whose options pass CheckResolverOptions().
inline constexpr size_t kMaxKeeperOrderBytes = 8 * 1024;

struct KeeperOrder {
  // With options: kill the resolver and start one with these, at once. Without: only kill it.
  std::optional<ResolverOptions> options;
};

// What the keeper says, one byte each: first and once that it is confined, as it was told to be;
// then what comes with the two descriptors of each resolver that it hands over.
enum class HandedOver : uint8_t { kQuestions = 1, kSockets = 2, kConfined = 3 };

Decoded DecodeKeeperOrder(absl::Span<const uint8_t> packet, KeeperOrder* order);

// Returns how many bytes were written, or 0 when the options are out of bounds.
[[nodiscard]] size_t EncodeKeeperOrder(const KeeperOrder& order, absl::Span<uint8_t> packet);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_KEEPER_ORDERS_H_
