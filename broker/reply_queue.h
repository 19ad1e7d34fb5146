// ReplyQueue: encoded replies for which a channel has no room yet, in their order.
//
// Process: broker, the loop's thread. Owns a duplicate of each reply's descriptor, since the
// original goes its own way meanwhile. Never blocks. How many there may be is the session's
// business.

#ifndef SOCKGATE_BROKER_REPLY_QUEUE_H_
#define SOCKGATE_BROKER_REPLY_QUEUE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/types/span.h"
#include "proto/limits.h"
#include "proto/unique_fd.h"

namespace sockgate {

class ReplyQueue {
 public:
  struct Waiting {
    std::array<uint8_t, kMaxPacketBytes> packet;
    size_t size = 0;
    UniqueFd descriptor;

    absl::Span<const uint8_t> bytes() const { return absl::MakeConstSpan(packet).first(size); }
  };

  // Adds to `descriptors` for each one that waits, and takes away again; lent.
  explicit ReplyQueue(uint32_t* descriptors) : descriptors_(descriptors) {}
  ~ReplyQueue() { Clear(); }
  ReplyQueue(const ReplyQueue&) = delete;
  ReplyQueue& operator=(const ReplyQueue&) = delete;

  // `descriptor` may be -1. An errno, and nothing is queued, when it cannot be duplicated: the
  // worker would take a reply without its descriptor for a full table of its own.
  int Push(absl::Span<const uint8_t> packet, int descriptor);

  size_t size() const { return waiting_.size(); }
  bool empty() const { return waiting_.empty(); }
  const Waiting& front() const { return waiting_.front(); }
  void PopFront();
  void Clear();

 private:
  uint32_t* const descriptors_;
  std::deque<Waiting> waiting_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_REPLY_QUEUE_H_
