#include "broker/heartbeat.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace sockgate {
namespace {

using std::chrono::milliseconds;

TEST(HeartbeatTest, BeatsInTheLoopsThreadFromItsBeginning) {
  const auto loop = *EventLoop::Create();
  int beats = 0;
  std::vector<TimePoint> times;
  const auto begun = EventLoop::Now();
  const Heartbeat heart(loop.get(), milliseconds(20), [&] {
    times.push_back(EventLoop::Now());
    if (++beats == 5) loop->Stop();
  });
  EXPECT_EQ(beats, 0);
  loop->Run([] {});
  EXPECT_EQ(beats, 5);
  for (size_t i = 1; i < times.size(); ++i) EXPECT_GE(times[i] - times[i - 1], milliseconds(20));
  EXPECT_LT(times[0] - begun, milliseconds(20));
}

// Which is what the beats are for.
TEST(HeartbeatTest, ALoopThatHangsDoesNotBeat) {
  const auto loop = *EventLoop::Create();
  int beats = 0;
  const Heartbeat heart(loop.get(), milliseconds(5), [&] { ++beats; });
  bool hung = false;
  loop->Run([&] {
    if (!hung && beats > 0) {
      const int before = beats;
      std::this_thread::sleep_for(milliseconds(100));
      EXPECT_EQ(beats, before);
      hung = true;
    } else if (hung) {
      loop->Stop();
    }
  });
}

TEST(HeartbeatTest, EndsWithTheObject) {
  const auto loop = *EventLoop::Create();
  int beats = 0;
  {
    const Heartbeat heart(loop.get(), milliseconds(1), [&] { ++beats; });
  }
  loop->Wake();
  loop->Run([&] { loop->Stop(); });
  EXPECT_EQ(beats, 0);
}

}  // namespace
}  // namespace sockgate
