#include "broker/event_loop.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "tests/broker/recorder.h"

namespace sockgate {
namespace {

using std::chrono::milliseconds;
using testing::AlwaysReadable;
using testing::NeverReadable;
using testing::Recorder;

class EventLoopTest : public ::testing::Test {
 protected:
  // Serves that many wake-ups.
  void RunWakeups(int count) {
    loop_->Run([this, count, served = 0]() mutable {
      if (++served == count) loop_->Stop();
    });
  }
  // Serves until `after` has passed, however many wake-ups that takes.
  void RunFor(milliseconds after) {
    loop_->SetDeadline(EventLoop::Now() + after, &end_, 0);
    end_.on_deadline = [this](uint64_t) { loop_->Stop(); };
    loop_->Run([] {});
  }

  const std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  Recorder recorder_;
  Recorder end_;
};

TEST_F(EventLoopTest, DeliversTheEventsAndTheCookie) {
  const UniqueFd ready = AlwaysReadable();
  const UniqueFd idle = NeverReadable();
  loop_->Watch(ready.get(), EPOLLIN, &recorder_, 7);
  loop_->Watch(idle.get(), EPOLLIN, &recorder_, 8);
  RunWakeups(1);
  EXPECT_EQ(recorder_.events, std::vector<uint64_t>({7}));
  EXPECT_EQ(recorder_.last_epoll_events, static_cast<uint32_t>(EPOLLIN));
}

TEST_F(EventLoopTest, AnEventThatIsNotTakenComesAgain) {
  const UniqueFd ready = AlwaysReadable();
  loop_->Watch(ready.get(), EPOLLIN, &recorder_, 7);
  RunWakeups(3);
  EXPECT_EQ(recorder_.events.size(), 3U);
}

TEST_F(EventLoopTest, ChangeTakesEffectAtTheNextWakeup) {
  const UniqueFd ready = AlwaysReadable();
  const EventLoop::Id id = loop_->Watch(ready.get(), EPOLLIN, &recorder_, 7);
  recorder_.on_event = [&](uint64_t) { loop_->Change(id, 0); };
  RunFor(milliseconds(20));
  EXPECT_EQ(recorder_.events.size(), 1U);
}

TEST_F(EventLoopTest, SpinsOnlyWhileEventsComeOften) {
  loop_->set_spin(milliseconds(2));
  const UniqueFd ready = AlwaysReadable();
  EventLoop::Id id = loop_->Watch(ready.get(), EPOLLIN, &recorder_, 7);
  const auto used = [] {
    timespec now = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  };
  std::chrono::nanoseconds before{0};
  uint64_t wakeups = 0;
  recorder_.on_event = [&](uint64_t) {
    if (++wakeups < 10) return;
    loop_->Unwatch(&id);
    before = used();
  };
  RunFor(milliseconds(100));
  EXPECT_EQ(recorder_.events.size(), 10U);
  const std::chrono::nanoseconds spent = used() - before;
  EXPECT_GT(spent.count(), 500'000) << "it spins once";
  EXPECT_LT(spent.count(), 50'000'000) << "and sleeps then";
  EXPECT_LE(loop_->wakeups(), 13U);
}

TEST_F(EventLoopTest, AWatchThatTheKernelRefusesLeavesNothingBehind) {
  const UniqueFd file(memfd_create("file", MFD_CLOEXEC));
  const EventLoop::Id refused = loop_->Watch(file.get(), EPOLLIN, &recorder_, 1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_FALSE(refused.valid());
  const UniqueFd ready = AlwaysReadable();
  EXPECT_TRUE(loop_->Watch(ready.get(), EPOLLIN, &recorder_, 2).valid());
  RunWakeups(1);
  EXPECT_EQ(recorder_.events, std::vector<uint64_t>({2}));
}

// Both descriptors are ready in the same wake-up; whoever is served first unwatches the other.
TEST_F(EventLoopTest, UnwatchDropsAnEventOfTheSameWakeup) {
  const UniqueFd fds[2] = {AlwaysReadable(), AlwaysReadable()};
  EventLoop::Id ids[2];
  for (uint64_t i = 0; i < 2; ++i) ids[i] = loop_->Watch(fds[i].get(), EPOLLIN, &recorder_, i);
  recorder_.on_event = [&](uint64_t cookie) { loop_->Unwatch(&ids[1 - cookie]); };
  RunWakeups(1);
  EXPECT_EQ(recorder_.events.size(), 1U);
}

// As above, but by then the other's slot, and even its descriptor's number, belong to a newcomer
// that is not ready.
TEST_F(EventLoopTest, AStaleEventDoesNotReachTheNewOwnerOfSlotAndNumber) {
  UniqueFd fds[2] = {AlwaysReadable(), AlwaysReadable()};
  EventLoop::Id ids[2];
  for (uint64_t i = 0; i < 2; ++i) ids[i] = loop_->Watch(fds[i].get(), EPOLLIN, &recorder_, i);
  Recorder newcomer;
  recorder_.on_event = [&](uint64_t cookie) {
    const uint64_t other = 1 - cookie;
    const uint32_t slot = ids[other].slot;
    const int number = fds[other].get();
    loop_->Unwatch(&ids[other]);
    UniqueFd idle = NeverReadable();
    ASSERT_EQ(dup2(idle.get(), number), number);
    ids[other] = loop_->Watch(number, EPOLLIN, &newcomer, 9);
    EXPECT_EQ(ids[other].slot, slot);
  };
  RunWakeups(1);
  EXPECT_EQ(recorder_.events.size(), 1U);
  EXPECT_TRUE(newcomer.events.empty());
}

TEST_F(EventLoopTest, AStaleIdDoesNothing) {
  const UniqueFd ready = AlwaysReadable();
  EventLoop::Id id = loop_->Watch(ready.get(), EPOLLIN, &recorder_, 1);
  EventLoop::Id stale = id;
  loop_->Unwatch(&id);
  EXPECT_FALSE(id.valid());
  id = loop_->Watch(ready.get(), EPOLLIN, &recorder_, 2);
  ASSERT_EQ(id.slot, stale.slot);
  loop_->Change(stale, 0);
  loop_->Unwatch(&stale);
  EXPECT_FALSE(stale.valid());
  loop_->Unwatch(&stale);
  RunWakeups(1);
  EXPECT_EQ(recorder_.events, std::vector<uint64_t>({2}));
}

TEST_F(EventLoopTest, ADeadlineThatHasPassedIsStaleToo) {
  EventLoop::Id passed = loop_->SetDeadline(EventLoop::Now(), &recorder_, 1);
  EventLoop::Id next;
  recorder_.on_deadline = [&](uint64_t cookie) {
    if (cookie != 1) return;
    next = loop_->SetDeadline(EventLoop::Now() + milliseconds(1), &recorder_, 2);
    EXPECT_EQ(next.slot, passed.slot);
    loop_->Cancel(&passed);
  };
  RunFor(milliseconds(20));
  EXPECT_EQ(recorder_.deadlines, std::vector<uint64_t>({1, 2}));
}

TEST_F(EventLoopTest, DeadlinesComeInTheirOrderAndNoneEarly) {
  const TimePoint start = EventLoop::Now();
  for (const uint64_t ms : {30U, 10U, 20U}) {
    loop_->SetDeadline(start + milliseconds(ms), &recorder_, ms);
  }
  recorder_.on_deadline = [&](uint64_t ms) {
    EXPECT_GE(EventLoop::Now() - start, milliseconds(ms));
    if (ms == 30) loop_->Stop();
  };
  loop_->Run([] {});
  EXPECT_EQ(recorder_.deadlines, std::vector<uint64_t>({10, 20, 30}));
}

TEST_F(EventLoopTest, ACancelledDeadlineDoesNotCome) {
  EventLoop::Id early = loop_->SetDeadline(EventLoop::Now(), &recorder_, 1);
  EventLoop::Id late;
  recorder_.on_deadline = [&](uint64_t) { loop_->Cancel(&late); };
  loop_->SetDeadline(EventLoop::Now() + milliseconds(1), &recorder_, 2);
  // Due in the same turn as 2, which cancels it.
  late = loop_->SetDeadline(EventLoop::Now() + milliseconds(1), &recorder_, 3);
  loop_->Cancel(&early);
  std::this_thread::sleep_for(milliseconds(2));
  RunFor(milliseconds(10));
  EXPECT_EQ(recorder_.deadlines, std::vector<uint64_t>({2}));
}

// More than one wake-up can hold, each of them always ready: nobody is left out.
TEST_F(EventLoopTest, ServesEveryOneOfManyReadyDescriptors) {
  std::vector<UniqueFd> fds;
  for (uint64_t i = 0; i < 500; ++i) {
    fds.push_back(AlwaysReadable());
    ASSERT_TRUE(loop_->Watch(fds.back().get(), EPOLLIN, &recorder_, i).valid());
  }
  RunWakeups(8);
  std::sort(recorder_.events.begin(), recorder_.events.end());
  const auto end = std::unique(recorder_.events.begin(), recorder_.events.end());
  EXPECT_EQ(end - recorder_.events.begin(), 500);
}

TEST_F(EventLoopTest, ReadyDescriptorsDoNotDelayADeadline) {
  std::vector<UniqueFd> fds;
  for (uint64_t i = 0; i < 500; ++i) {
    fds.push_back(AlwaysReadable());
    loop_->Watch(fds.back().get(), EPOLLIN, &recorder_, i);
  }
  loop_->SetDeadline(EventLoop::Now(), &recorder_, 1);
  RunWakeups(1);
  EXPECT_EQ(recorder_.deadlines.size(), 1U);
}

TEST_F(EventLoopTest, StopBeforeRunMakesRunReturn) {
  loop_->Stop();
  loop_->Run([] { ADD_FAILURE() << "nothing to wake up for"; });
}

TEST_F(EventLoopTest, WakeAndStopFromAnotherThread) {
  std::atomic<int> wakeups = 0;
  std::thread other([&] {
    loop_->Wake();
    while (wakeups == 0) std::this_thread::yield();
    const int before = wakeups;
    loop_->Wake();
    while (wakeups == before) std::this_thread::yield();
    loop_->Stop();
  });
  loop_->Run([&] { ++wakeups; });
  other.join();
  EXPECT_GE(wakeups, 2);
}

EventLoop* g_loop_of_signal = nullptr;

TEST_F(EventLoopTest, StopFromASignalHandler) {
  g_loop_of_signal = loop_.get();
  const auto before = signal(SIGUSR1, [](int) { g_loop_of_signal->Stop(); });
  const pthread_t self = pthread_self();
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(10));
    pthread_kill(self, SIGUSR1);
  });
  loop_->Run([] {});
  other.join();
  signal(SIGUSR1, before);
}

}  // namespace
}  // namespace sockgate
