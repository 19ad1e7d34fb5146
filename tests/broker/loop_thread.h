// LoopThread: an EventLoop in a thread of its own, and a way for the test to do things there.
//
// Whatever the loop's objects may only be asked in the loop's thread is asked with Do(), which runs
// between two wake-ups. So a test reads as one sequence, and ThreadSanitizer sees the truth.
// Objects that watch the loop must go before the LoopThread, within Do() or after Stop().

#ifndef SOCKGATE_TESTS_BROKER_LOOP_THREAD_H_
#define SOCKGATE_TESTS_BROKER_LOOP_THREAD_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "broker/event_loop.h"

namespace sockgate::testing {

class LoopThread {
 public:
  LoopThread();
  ~LoopThread() { Stop(); }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  EventLoop* loop() const { return loop_.get(); }

  // Called after every wake-up, before what Do() asks for. Set before the first Do().
  void set_after_wakeup(std::function<void()> after_wakeup);

  // Runs `task` in the loop's thread, or in this one when the loop has stopped, and waits for it.
  void Do(const std::function<void()>& task);

  // Asks again and again, in the loop's thread; false after ten seconds of no.
  bool Until(const std::function<bool()>& condition);

  // Ends the thread. Do() still works.
  void Stop();

 private:
  void AfterWakeup();

  std::unique_ptr<EventLoop> loop_;
  std::function<void()> after_wakeup_;
  std::mutex mutex_;
  std::condition_variable done_;
  const std::function<void()>* task_ = nullptr;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_LOOP_THREAD_H_
