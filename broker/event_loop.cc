#include "broker/event_loop.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "proto/check.h"

namespace sockgate {
namespace {

// Descriptors served per wake-up. More would only delay the deadlines.
constexpr int kEventsPerWakeup = 64;

uint64_t Pack(EventLoop::Id id) { return static_cast<uint64_t>(id.generation) << 32 | id.slot; }

EventLoop::Id Unpack(uint64_t packed) {
  return {static_cast<uint32_t>(packed), static_cast<uint32_t>(packed >> 32)};
}

// Generations start at 1, so these are no registration's.
constexpr uint64_t kWakeCookie = 0;
constexpr uint64_t kTimerCookie = 1;

bool Add(const UniqueFd& epoll, const UniqueFd& fd, uint32_t events, uint64_t cookie) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = cookie;
  return epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EventLoop>> EventLoop::Create() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return absl::ErrnoToStatus(errno, "cannot make an event loop: epoll_create1");
  UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return absl::ErrnoToStatus(errno, "cannot make an event loop: eventfd");
  UniqueFd timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer.valid())
    return absl::ErrnoToStatus(errno, "cannot make an event loop: timerfd_create");
  // Edge-triggered: the timer is not read, only set again.
  if (!Add(epoll, wake, EPOLLIN, kWakeCookie) ||
      !Add(epoll, timer, EPOLLIN | EPOLLET, kTimerCookie)) {
    return absl::ErrnoToStatus(errno, "cannot make an event loop: epoll_ctl");
  }
  return std::unique_ptr<EventLoop>(
      new EventLoop(std::move(epoll), std::move(wake), std::move(timer)));
}

EventLoop::Id EventLoop::Watch(int fd, uint32_t epoll_events, EventHandler* handler,
                               uint64_t cookie) {
  Id id = TakeSlot(handler, cookie);
  epoll_event event = {};
  event.events = epoll_events;
  event.data.u64 = Pack(id);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    const int error = errno;
    FreeSlot(&id);
    errno = error;
    return id;
  }
  slots_[id.slot].fd = fd;
  return id;
}

void EventLoop::Change(Id id, uint32_t epoll_events) {
  const Slot* slot = Find(id);
  if (slot == nullptr) return;
  epoll_event event = {};
  event.events = epoll_events;
  event.data.u64 = Pack(id);
  SOCKGATE_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, slot->fd, &event) == 0);
}

void EventLoop::Unwatch(Id* id) {
  const Slot* slot = Find(*id);
  if (slot != nullptr) {
    SOCKGATE_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, slot->fd, nullptr) == 0);
    FreeSlot(id);
  }
  *id = Id();
}

EventLoop::Id EventLoop::SetDeadline(TimePoint when, EventHandler* handler, uint64_t cookie) {
  const Id id = TakeSlot(handler, cookie);
  slots_[id.slot].deadline = deadlines_.Add(when, Pack(id));
  return id;
}

void EventLoop::Cancel(Id* id) {
  const Slot* slot = Find(*id);
  if (slot != nullptr) {
    deadlines_.Remove(slot->deadline);
    FreeSlot(id);
  }
  *id = Id();
}

void EventLoop::Run(const std::function<void()>& after_wakeup) {
  epoll_event events[kEventsPerWakeup];
  while (!stopped_.load(std::memory_order_acquire)) {
    ArmTimer();
    const int count = Wait(events);
    ++wakeups_;
    SOCKGATE_CHECK(count >= 0 || errno == EINTR);
    events_ = static_cast<size_t>(std::max(count, 0));
    DeliverEvents(events, count);
    DeliverDeadlines();
    after_wakeup();
  }
}

int EventLoop::Wait(epoll_event* events) {
  const bool sleep = std::exchange(wait_, true);
  if (!sleep || spin_.count() == 0) {
    return epoll_wait(epoll_.get(), events, kEventsPerWakeup, sleep ? -1 : 0);
  }
  if (busy_) {
    const int count = Spin(events);
    if (count != 0) return count;
  }
  const TimePoint begun = Now();
  const int count = epoll_wait(epoll_.get(), events, kEventsPerWakeup, -1);
  busy_ = Now() - begun < spin_;
  return count;
}

int EventLoop::Spin(epoll_event* events) {
  const TimePoint until = Now() + spin_;
  int count = 0;
  do {
    count = epoll_wait(epoll_.get(), events, kEventsPerWakeup, 0);
  } while (count == 0 && Now() < until);
  return count;
}

void EventLoop::Wake() {
  const uint64_t one = 1;
  // Cannot fail but for a counter that is full, and then the loop is awake.
  const ssize_t written = write(wake_.get(), &one, sizeof(one));
  static_cast<void>(written);
}

void EventLoop::Stop() {
  stopped_.store(true, std::memory_order_release);
  Wake();
}

EventLoop::Id EventLoop::TakeSlot(EventHandler* handler, uint64_t cookie) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[index];
  slot.handler = handler;
  slot.cookie = cookie;
  slot.fd = -1;
  return {index, slot.generation};
}

void EventLoop::FreeSlot(Id* id) {
  Slot& slot = slots_[id->slot];
  slot.handler = nullptr;
  if (++slot.generation == 0) slot.generation = 1;
  free_slots_.push_back(id->slot);
  *id = Id();
}

EventLoop::Slot* EventLoop::Find(Id id) {
  if (!id.valid() || slots_[id.slot].generation != id.generation) return nullptr;
  return &slots_[id.slot];
}

// A deadline that is cancelled leaves the timer set: it then wakes the loop once for nothing.
void EventLoop::ArmTimer() {
  if (deadlines_.empty() || deadlines_.next() >= timer_at_) return;
  timer_at_ = deadlines_.next();
  const auto since_boot = timer_at_.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
  itimerspec when = {};
  when.it_value.tv_sec = seconds.count();
  when.it_value.tv_nsec = std::chrono::nanoseconds{since_boot - seconds}.count();
  SOCKGATE_CHECK(timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

void EventLoop::DeliverEvents(const epoll_event* events, int count) {
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == kWakeCookie) {
      uint64_t drained;
      const ssize_t size = read(wake_.get(), &drained, sizeof(drained));
      static_cast<void>(size);  // EAGAIN: somebody else's wake-up was counted into this one
      continue;
    }
    if (events[i].data.u64 == kTimerCookie) {
      timer_at_ = TimePoint::max();
      continue;
    }
    const Slot* slot = Find(Unpack(events[i].data.u64));
    if (slot != nullptr) slot->handler->OnEvent(slot->cookie, events[i].events);
  }
}

void EventLoop::DeliverDeadlines() {
  if (deadlines_.empty()) return;
  const TimePoint now = Now();
  while (!deadlines_.empty() && deadlines_.next() <= now) {
    Id id = Unpack(deadlines_.Pop());
    const Slot slot = slots_[id.slot];
    FreeSlot(&id);
    slot.handler->OnDeadline(slot.cookie);
  }
}

}  // namespace sockgate
