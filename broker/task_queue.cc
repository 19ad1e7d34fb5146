#include "broker/task_queue.h"

#include <utility>

#include "proto/check.h"

namespace sockgate {

void TaskQueue::Post(Task task) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (phase_ == Phase::kEnded) return;
    entries_.push_back({std::move(task)});
  }
  loop_->Wake();
}

bool TaskQueue::Do(const std::function<void()>& task) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (phase_ == Phase::kEnded) return false;
  if (phase_ == Phase::kBefore) {
    // Under the lock, so that the loop cannot begin meanwhile.
    task();
    return true;
  }
  SOCKGATE_CHECK(std::this_thread::get_id() != runner_);
  Fate fate = Fate::kWaiting;
  entries_.push_back({[&task] { task(); }, &fate});
  loop_->Wake();
  settled_.wait(lock, [&fate] { return fate != Fate::kWaiting; });
  return fate == Fate::kRun;
}

void TaskQueue::Begin() {
  const std::lock_guard<std::mutex> lock(mutex_);
  phase_ = Phase::kRunning;
  runner_ = std::this_thread::get_id();
}

void TaskQueue::RunAll() {
  std::vector<Entry> entries;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    entries.swap(entries_);
  }
  if (entries.empty()) return;
  for (Entry& entry : entries) entry.task();
  Settle(entries, Fate::kRun);
}

void TaskQueue::End() {
  std::vector<Entry> entries;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    phase_ = Phase::kEnded;
    entries.swap(entries_);
  }
  Settle(entries, Fate::kDropped);
}

void TaskQueue::Settle(const std::vector<Entry>& entries, Fate fate) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Entry& entry : entries) {
    if (entry.fate != nullptr) *entry.fate = fate;
  }
  settled_.notify_all();
}

}  // namespace sockgate
