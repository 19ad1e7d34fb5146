// LingeringChannels: channels that are over, but whose worker has not read all that it was sent.
//
// Process: broker, the loop's thread. Owns the broker's end of each until nothing of it is left: the
// worker has read its replies or closed its end.
// Such replies stay in the worker's queue whatever the broker does, and the sockets in them are in
// flight (unix(7)), of which the broker's user may have only so many. So each goes on to count among
// its worker's channels: or a worker would open one, leave its replies unread, have it end for a
// packet of garbage, and open the next, until nobody else could be sent a socket any more.
// Hostile input: none is read. The worker cannot have it look sooner either: each is looked at after a
// few milliseconds, and then at intervals that double, up to two seconds. Events would not do. The
// worker's shutdown(2) of its end is one each time, and that of the last packet may come before the
// kernel has it off its books.

#ifndef SOCKGATE_BROKER_LINGERING_CHANNELS_H_
#define SOCKGATE_BROKER_LINGERING_CHANNELS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "broker/event_loop.h"
#include "broker/worker_record.h"
#include "proto/unique_fd.h"

namespace sockgate {

class LingeringChannels final : public EventHandler {
 public:
  // Told when nothing of a channel is left, but not after the end of this.
  using Gone = std::function<void(WorkerRecord* worker)>;

  LingeringChannels(EventLoop* loop, Gone gone) : loop_(loop), gone_(std::move(gone)) {}
  ~LingeringChannels();
  LingeringChannels(const LingeringChannels&) = delete;
  LingeringChannels& operator=(const LingeringChannels&) = delete;

  // Whether it lingers; if not it is closed.
  bool Add(std::shared_ptr<WorkerRecord> worker, UniqueFd channel);

  // function(const WorkerRecord&) for each channel.
  template <typename Function>
  void ForEach(const Function& function) const {
    for (const auto& [number, channel] : channels_) function(*channel.worker);
  }

  void OnEvent(uint64_t /*cookie*/, uint32_t /*epoll_events*/) override {}
  void OnDeadline(uint64_t cookie) override;

 private:
  struct Channel {
    std::shared_ptr<WorkerRecord> worker;
    UniqueFd end;
    std::chrono::milliseconds interval;
    EventLoop::Id look;
  };

  EventLoop* const loop_;
  const Gone gone_;
  uint64_t last_ = 0;
  absl::flat_hash_map<uint64_t, Channel> channels_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_LINGERING_CHANNELS_H_
