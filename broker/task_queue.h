// TaskQueue: how other threads get something done in the loop's thread, between two wake-ups.
//
// Process: broker. The loop is lent and must outlive the queue.
// Threads: Post() and Do() from any, but Do() never from within a task or a handler of the loop:
// it would wait for itself. Begin(), RunAll() and End() belong to the loop's thread.
// Blocking: Do() waits for the task's end; nothing makes the loop wait.

#ifndef SOCKGATE_BROKER_TASK_QUEUE_H_
#define SOCKGATE_BROKER_TASK_QUEUE_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "broker/event_loop.h"

namespace sockgate {

class TaskQueue {
 public:
  using Task = absl::AnyInvocable<void()>;

  explicit TaskQueue(EventLoop* loop) : loop_(loop) {}
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;

  // `task` is run in the loop's thread, after what was posted before; or destroyed unrun when the
  // loop ends first.
  void Post(Task task);

  // The same, and waits for it. But before the loop runs, `task` is run at once in the calling
  // thread, ahead of what was posted, and while the loop's beginning and every other caller wait:
  // such a task must not use the queue. False: it was not run and never will be, since the loop has
  // ended.
  bool Do(const std::function<void()>& task);

  // The loop runs from now on.
  void Begin();
  // To be called after every wake-up.
  void RunAll();
  // The loop has ended; who waits in Do() is told.
  void End();

 private:
  enum class Phase { kBefore, kRunning, kEnded };
  // What Do() waits for.
  enum class Fate { kWaiting, kRun, kDropped };

  struct Entry {
    Task task;
    Fate* fate = nullptr;  // nobody waits; else guarded by mutex_
  };

  void Settle(const std::vector<Entry>& entries, Fate fate);

  EventLoop* const loop_;
  std::mutex mutex_;
  std::condition_variable settled_;
  Phase phase_ = Phase::kBefore;  // guarded by mutex_, as all below
  std::thread::id runner_;
  std::vector<Entry> entries_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_TASK_QUEUE_H_
