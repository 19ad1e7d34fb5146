#include "broker/event_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "proto/check.h"

namespace sockgate {
namespace {

// Descriptors served per wake-up. More would only delay the deadlines.
constexpr int kEventsPerWakeup = 64;

uint64_t Pack(EventLoop::Id id) { return static_cast<uint64_t>(id.generation) << 32 | id.slot; }

EventLoop::Id Unpack(uint64_t packed) {
  return {static_cast<uint32_t>(packed), static_cast<uint32_t>(packed >> 32)};
}

// Generations start at 1, so this is no registration's.
constexpr uint64_t kWakeCookie = 0;

}  // namespace

absl::StatusOr<std::unique_ptr<EventLoop>> EventLoop::Create() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return absl::ErrnoToStatus(errno, "epoll_create1");
  UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return absl::ErrnoToStatus(errno, "eventfd");
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = kWakeCookie;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) {
    return absl::ErrnoToStatus(errno, "epoll_ctl");
  }
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll), std::move(wake)));
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
    const int count = epoll_wait(epoll_.get(), events, kEventsPerWakeup, TimeoutMs());
    SOCKGATE_CHECK(count >= 0 || errno == EINTR);
    DeliverEvents(events, count);
    DeliverDeadlines();
    after_wakeup();
  }
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

int EventLoop::TimeoutMs() const {
  if (deadlines_.empty()) return -1;
  const auto left = deadlines_.next() - Now();
  // Rounded up: waking a moment early would only mean going round again.
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<int64_t>(ms, 0, INT_MAX));
}

void EventLoop::DeliverEvents(const epoll_event* events, int count) {
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == kWakeCookie) {
      uint64_t drained;
      const ssize_t size = read(wake_.get(), &drained, sizeof(drained));
      static_cast<void>(size);  // EAGAIN: somebody else's wake-up was counted into this one
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
