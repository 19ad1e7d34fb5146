#include "broker/reply_queue.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sockgate {

int ReplyQueue::Push(absl::Span<const uint8_t> packet, int descriptor) {
  Waiting waiting;
  std::copy(packet.begin(), packet.end(), waiting.packet.begin());
  waiting.size = packet.size();
  if (descriptor >= 0) {
    waiting.descriptor.Reset(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (!waiting.descriptor.valid()) return errno;
    ++*descriptors_;
  }
  waiting_.push_back(std::move(waiting));
  return 0;
}

void ReplyQueue::PopFront() {
  *descriptors_ -= waiting_.front().descriptor.valid() ? 1 : 0;
  waiting_.pop_front();
}

void ReplyQueue::Clear() {
  while (!waiting_.empty()) PopFront();
}

}  // namespace sockgate
