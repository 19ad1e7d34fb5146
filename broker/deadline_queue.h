// DeadlineQueue: which deadline is the next, for as many as are set.
//
// Process: broker, within an EventLoop's thread. A binary heap that knows where each entry stands,
// so that a deadline that is no longer needed leaves at once: most connects end long before theirs.
// Nothing is allocated once the queue has been as long as it gets.

#ifndef SOCKGATE_BROKER_DEADLINE_QUEUE_H_
#define SOCKGATE_BROKER_DEADLINE_QUEUE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sockgate {

using TimePoint = std::chrono::steady_clock::time_point;

class DeadlineQueue {
 public:
  using Id = uint32_t;

  // `value` is the caller's.
  Id Add(TimePoint when, uint64_t value);
  // `id` must have been added and neither removed nor popped.
  void Remove(Id id);

  bool empty() const { return heap_.empty(); }
  // Only when not empty.
  TimePoint next() const { return entries_[heap_.front()].when; }
  uint64_t Pop();

 private:
  struct Entry {
    TimePoint when;
    uint64_t value;
    size_t position;  // in heap_
  };

  void Place(Id id, size_t position);
  void SiftUp(size_t position);
  void SiftDown(size_t position);
  bool Earlier(size_t a, size_t b) const {
    return entries_[heap_[a]].when < entries_[heap_[b]].when;
  }

  std::vector<Entry> entries_;
  std::vector<Id> free_;
  std::vector<Id> heap_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_DEADLINE_QUEUE_H_
