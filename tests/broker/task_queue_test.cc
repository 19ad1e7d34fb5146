#include "broker/task_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace sockgate {
namespace {

class TaskQueueTest : public ::testing::Test {
 protected:
  // Returns when the loop runs, or has ended.
  void Start() {
    thread_ = std::thread([this] {
      queue_.Begin();
      loop_->Run([this] { queue_.RunAll(); });
      queue_.End();
    });
    while (DoneBy() == std::this_thread::get_id()) std::this_thread::yield();
  }
  void Stop() {
    loop_->Stop();
    if (thread_.joinable()) thread_.join();
  }
  ~TaskQueueTest() override { Stop(); }

  // Which thread does what is asked; none after the end.
  std::thread::id DoneBy() {
    std::thread::id id;
    queue_.Do([&id] { id = std::this_thread::get_id(); });
    return id;
  }

  const std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  TaskQueue queue_{loop_.get()};
  std::thread thread_;
};

TEST_F(TaskQueueTest, BeforeTheLoopRunsTheCallerDoesItItself) {
  EXPECT_EQ(DoneBy(), std::this_thread::get_id());
}

TEST_F(TaskQueueTest, WhileItRunsItsThreadDoesItAndTheCallerWaits) {
  Start();
  EXPECT_EQ(DoneBy(), thread_.get_id());
}

TEST_F(TaskQueueTest, InTheOrderInWhichTheyWerePosted) {
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) queue_.Post([&order, i] { order.push_back(i); });
  Start();
  queue_.Post([&order] { order.push_back(3); });
  EXPECT_TRUE(queue_.Do([&order] { order.push_back(4); }));
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(TaskQueueTest, AfterTheLoopsEndNothingIsDone) {
  Start();
  Stop();
  EXPECT_FALSE(queue_.Do([] { ADD_FAILURE(); }));
  auto held = std::make_shared<int>(1);
  queue_.Post([held] { ADD_FAILURE(); });
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(TaskQueueTest, WhoWaitsWhenTheLoopEndsIsReleased) {
  Start();
  std::atomic<bool> over = false;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (queue_.Do([] {})) {
      }
      over = true;
    });
  }
  Stop();
  for (std::thread& caller : callers) caller.join();
  EXPECT_TRUE(over);
}

TEST_F(TaskQueueTest, WhatWasPostedAndNotRunIsDestroyed) {
  auto held = std::make_shared<int>(1);
  queue_.Post([held] { ADD_FAILURE(); });
  EXPECT_EQ(held.use_count(), 2);
  loop_->Stop();
  Start();
  Stop();
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace sockgate
