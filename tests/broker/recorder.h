// Recorder: an EventHandler that does what the test says, and counts.

#ifndef SOCKGATE_TESTS_BROKER_RECORDER_H_
#define SOCKGATE_TESTS_BROKER_RECORDER_H_

#include <sys/eventfd.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "broker/event_loop.h"
#include "proto/unique_fd.h"

namespace sockgate::testing {

struct Recorder final : EventHandler {
  void OnEvent(uint64_t cookie, uint32_t epoll_events) override {
    events.push_back(cookie);
    last_epoll_events = epoll_events;
    if (on_event) on_event(cookie);
  }
  void OnDeadline(uint64_t cookie) override {
    deadlines.push_back(cookie);
    if (on_deadline) on_deadline(cookie);
  }

  std::vector<uint64_t> events;     // cookies in the order of delivery
  std::vector<uint64_t> deadlines;  // the same
  uint32_t last_epoll_events = 0;
  std::function<void(uint64_t cookie)> on_event;
  std::function<void(uint64_t cookie)> on_deadline;
};

// Readable for as long as nobody reads it, or never.
inline UniqueFd AlwaysReadable() { return UniqueFd(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)); }
inline UniqueFd NeverReadable() { return UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_RECORDER_H_
