#include "tests/broker/loop_thread.h"

#include <chrono>
#include <utility>

namespace sockgate::testing {

LoopThread::LoopThread()
    : loop_(*EventLoop::Create()), thread_([this] { loop_->Run([this] { AfterWakeup(); }); }) {}

void LoopThread::set_after_wakeup(std::function<void()> after_wakeup) {
  Do([&] { after_wakeup_ = std::move(after_wakeup); });
}

void LoopThread::Do(const std::function<void()>& task) {
  if (!thread_.joinable()) {
    task();
    return;
  }
  std::unique_lock<std::mutex> lock(mutex_);
  task_ = &task;
  loop_->Wake();
  done_.wait(lock, [this] { return task_ == nullptr; });
}

bool LoopThread::Until(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  bool met = false;
  do {
    Do([&] { met = condition(); });
    if (met) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } while (std::chrono::steady_clock::now() < give_up);
  return false;
}

void LoopThread::Stop() {
  if (!thread_.joinable()) return;
  loop_->Stop();
  thread_.join();
}

void LoopThread::AfterWakeup() {
  if (after_wakeup_) after_wakeup_();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (task_ == nullptr) return;
  (*task_)();
  task_ = nullptr;
  done_.notify_one();
}

}  // namespace sockgate::testing
