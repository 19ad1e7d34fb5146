// Heartbeat: does something at regular times, for as long as the loop goes round.
//
// Process: broker, the loop's thread, which `beat` must not make wait. The loop is lent and must
// outlive it.
// It is what shows that the loop does not hang: whoever misses a beat may take the broker for stuck.

#ifndef SOCKGATE_BROKER_HEARTBEAT_H_
#define SOCKGATE_BROKER_HEARTBEAT_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include "broker/event_loop.h"

namespace sockgate {

class Heartbeat final : public EventHandler {
 public:
  // The first beat comes when the loop begins.
  Heartbeat(EventLoop* loop, std::chrono::microseconds period, std::function<void()> beat)
      : loop_(loop), period_(period), beat_(std::move(beat)) {
    next_ = loop_->SetDeadline(EventLoop::Now(), this, 0);
  }
  ~Heartbeat() { loop_->Cancel(&next_); }
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  void OnEvent(uint64_t /*cookie*/, uint32_t /*epoll_events*/) override {}
  void OnDeadline(uint64_t /*cookie*/) override {
    beat_();
    next_ = loop_->SetDeadline(EventLoop::Now() + period_, this, 0);
  }

 private:
  EventLoop* const loop_;
  const std::chrono::microseconds period_;
  const std::function<void()> beat_;
  EventLoop::Id next_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_HEARTBEAT_H_
