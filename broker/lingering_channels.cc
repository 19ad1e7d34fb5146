#include "broker/lingering_channels.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "absl/types/span.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

using std::chrono::milliseconds;

// A process that ends is noticed before the kernel has thrown its queues away.
constexpr milliseconds kFirstLook(4);
constexpr milliseconds kLongestInterval(2000);

// Of what was sent on it; nothing is left when the other end is closed.
bool HasUnread(const UniqueFd& channel) {
  int bytes = 0;
  return ioctl(channel.get(), SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

// What the worker has sent, with descriptors where the kernel still takes some. After shutdown(2)
// there comes no more.
void Empty(const UniqueFd& channel) {
  std::array<uint8_t, 1> buffer;
  PacketStatus status;
  do {
    status = ReceivePacket(channel.get(), absl::MakeSpan(buffer), Accept::kNoDescriptor, Wait::kNo)
                 .status;
  } while (status != PacketStatus::kWouldBlock && status != PacketStatus::kClosed &&
           status != PacketStatus::kError);
}

}  // namespace

LingeringChannels::~LingeringChannels() {
  for (auto& [number, channel] : channels_) loop_->Cancel(&channel.look);
}

bool LingeringChannels::Add(std::shared_ptr<WorkerRecord> worker, UniqueFd channel) {
  if (!HasUnread(channel)) return false;
  shutdown(channel.get(), SHUT_RDWR);
  Empty(channel);
  const uint64_t number = ++last_;
  const EventLoop::Id look = loop_->SetDeadline(EventLoop::Now() + kFirstLook, this, number);
  channels_.emplace(number, Channel{std::move(worker), std::move(channel), kFirstLook, look});
  return true;
}

void LingeringChannels::OnDeadline(uint64_t cookie) {
  const auto found = channels_.find(cookie);
  Channel& channel = found->second;
  if (HasUnread(channel.end)) {
    channel.interval = std::min(2 * channel.interval, kLongestInterval);
    channel.look = loop_->SetDeadline(EventLoop::Now() + channel.interval, this, cookie);
    return;
  }
  const std::shared_ptr<WorkerRecord> worker = std::move(channel.worker);
  channels_.erase(found);
  gone_(worker.get());
}

}  // namespace sockgate
