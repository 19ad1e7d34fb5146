#include "broker/lingering_channels.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <utility>

namespace sockgate {
namespace {

// Of what was sent on it; nothing is left when the other end is closed.
bool HasUnread(const UniqueFd& channel) {
  int bytes = 0;
  return ioctl(channel.get(), SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

}  // namespace

LingeringChannels::~LingeringChannels() {
  for (auto& [number, channel] : channels_) loop_->Unwatch(&channel.watch);
}

// Edge-triggered, since it is hung up from now on: each packet that is read, and the close of the
// other end, is an edge.
bool LingeringChannels::Add(std::shared_ptr<WorkerRecord> worker, UniqueFd channel) {
  if (!HasUnread(channel)) return false;
  shutdown(channel.get(), SHUT_RDWR);
  const uint64_t number = ++last_;
  const EventLoop::Id watch = loop_->Watch(channel.get(), EPOLLOUT | EPOLLET, this, number);
  if (!watch.valid()) return false;
  channels_.emplace(number, Channel{std::move(worker), std::move(channel), watch});
  return true;
}

void LingeringChannels::OnEvent(uint64_t cookie, uint32_t /*epoll_events*/) {
  const auto found = channels_.find(cookie);
  if (HasUnread(found->second.end)) return;
  Channel channel = std::move(found->second);
  channels_.erase(found);
  loop_->Unwatch(&channel.watch);
  channel.end.Reset();
  gone_(channel.worker.get());
}

}  // namespace sockgate
