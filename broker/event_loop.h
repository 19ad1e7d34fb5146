// EventLoop: one thread's wait for descriptors and deadlines.
//
// Process: broker.
// Threads: all members belong to the thread that calls Run(), except Wake() and Stop(), which any
// thread or signal handler may call.
// Ownership: the loop owns no descriptor and no handler; whoever watches must Unwatch() before it
// closes the descriptor. That matters more than usual here: a descriptor that has been passed to a
// worker stays in the epoll set after the broker closes its own number (epoll(7), question 6).
// Level-triggered: a handler that takes one packet a turn is called again for the next one, after
// the others.

#ifndef SOCKGATE_BROKER_EVENT_LOOP_H_
#define SOCKGATE_BROKER_EVENT_LOOP_H_

#include <sys/epoll.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/deadline_queue.h"
#include "proto/unique_fd.h"

namespace sockgate {

// `cookie` is what the handler gave when it registered.
class EventHandler {
 public:
  virtual void OnEvent(uint64_t cookie, uint32_t epoll_events) = 0;
  virtual void OnDeadline(uint64_t cookie) = 0;

 protected:
  ~EventHandler() = default;
};

class EventLoop {
 public:
  // Refers to one registration for good: using it after the end of that registration does nothing.
  struct Id {
    uint32_t slot = 0;
    uint32_t generation = 0;  // 0: refers to nothing
    bool valid() const { return generation != 0; }
  };

  static absl::StatusOr<std::unique_ptr<EventLoop>> Create();

  // Returns an invalid Id, with errno set, when the kernel refuses.
  Id Watch(int fd, uint32_t epoll_events, EventHandler* handler, uint64_t cookie);
  void Change(Id id, uint32_t epoll_events);
  // Clears `*id`. Events of this wake-up that are still to be delivered are dropped.
  void Unwatch(Id* id);

  Id SetDeadline(TimePoint when, EventHandler* handler, uint64_t cookie);
  // Clears `*id`.
  void Cancel(Id* id);

  // How often Run() has come back from its wait.
  uint64_t wakeups() const { return wakeups_; }
  // How many events this wake-up has brought.
  size_t events() const { return events_; }

  // The steady clock, read anew.
  static TimePoint Now() { return std::chrono::steady_clock::now(); }

  // For how long Run() looks for events again and again before it sleeps; 0, the default: it sleeps at
  // once. Only while events come that often, so an idle loop costs nothing. Before Run().
  void set_spin(std::chrono::microseconds spin) { spin_ = spin; }

  // Serves events until Stop(); after every wake-up calls `after_wakeup`, where it is safe to
  // delete handlers.
  void Run(const std::function<void()>& after_wakeup);

  // Makes the next wake-up of Run() come at once, whether or not there are events. The loop's thread.
  void DoNotWait() { wait_ = false; }

  // Makes Run() go through one more wake-up, at which it calls `after_wakeup`. Async-signal-safe.
  void Wake();
  // Makes Run() return, now or when it is called. Async-signal-safe.
  void Stop();

 private:
  struct Slot {
    EventHandler* handler = nullptr;
    uint64_t cookie = 0;
    int fd = -1;                     // of a watch
    DeadlineQueue::Id deadline = 0;  // of a deadline
    uint32_t generation = 1;
  };

  EventLoop(UniqueFd epoll, UniqueFd wake, UniqueFd timer)
      : epoll_(std::move(epoll)), wake_(std::move(wake)), timer_(std::move(timer)) {}

  Id TakeSlot(EventHandler* handler, uint64_t cookie);
  void FreeSlot(Id* id);
  Slot* Find(Id id);
  void ArmTimer();
  int Wait(epoll_event* events);
  int Spin(epoll_event* events);
  void DeliverEvents(const epoll_event* events, int count);
  void DeliverDeadlines();

  UniqueFd epoll_;
  UniqueFd wake_;
  // Set for the first deadline. A timeout of epoll_wait(2) would do the same, but would be armed
  // and disarmed at every wait: a microsecond for each request.
  UniqueFd timer_;
  TimePoint timer_at_ = TimePoint::max();
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  DeadlineQueue deadlines_;
  bool wait_ = true;
  std::chrono::microseconds spin_{0};
  bool busy_ = false;  // the last wait was shorter than that
  uint64_t wakeups_ = 0;
  size_t events_ = 0;
  std::atomic<bool> stopped_ = false;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_EVENT_LOOP_H_
