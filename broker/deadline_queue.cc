#include "broker/deadline_queue.h"

#include <utility>

namespace sockgate {

DeadlineQueue::Id DeadlineQueue::Add(TimePoint when, uint64_t value) {
  if (free_.empty()) {
    free_.push_back(static_cast<Id>(entries_.size()));
    entries_.emplace_back();
  }
  const Id id = free_.back();
  free_.pop_back();
  entries_[id] = {when, value, heap_.size()};
  heap_.push_back(id);
  SiftUp(heap_.size() - 1);
  return id;
}

void DeadlineQueue::Remove(Id id) {
  const size_t position = entries_[id].position;
  const Id last = heap_.back();
  heap_.pop_back();
  free_.push_back(id);
  if (last == id) return;
  Place(last, position);
  SiftUp(position);
  SiftDown(entries_[last].position);
}

uint64_t DeadlineQueue::Pop() {
  const Id id = heap_.front();
  const uint64_t value = entries_[id].value;
  Remove(id);
  return value;
}

void DeadlineQueue::Place(Id id, size_t position) {
  heap_[position] = id;
  entries_[id].position = position;
}

void DeadlineQueue::SiftUp(size_t position) {
  while (position > 0) {
    const size_t parent = (position - 1) / 2;
    if (!Earlier(position, parent)) return;
    const Id moved = heap_[position];
    Place(heap_[parent], position);
    Place(moved, parent);
    position = parent;
  }
}

void DeadlineQueue::SiftDown(size_t position) {
  while (true) {
    size_t child = 2 * position + 1;
    if (child >= heap_.size()) return;
    if (child + 1 < heap_.size() && Earlier(child + 1, child)) ++child;
    if (!Earlier(child, position)) return;
    const Id moved = heap_[position];
    Place(heap_[child], position);
    Place(moved, child);
    position = child;
  }
}

}  // namespace sockgate
