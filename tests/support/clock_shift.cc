#include "tests/support/clock_shift.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace sockgate::testing {
namespace {

constexpr int64_t kNanoseconds = 1'000'000'000;

std::atomic<int64_t> g_steady{0};
std::atomic<int64_t> g_stopped_at{0};  // 0: it goes
std::atomic<int64_t> g_real{0};

int64_t Total(const timespec& time) { return time.tv_sec * kNanoseconds + time.tv_nsec; }

void Set(timespec* time, int64_t total) {
  time->tv_sec = total / kNanoseconds;
  time->tv_nsec = total % kNanoseconds;
}

int64_t Steady(int64_t true_time) {
  const int64_t stopped = g_stopped_at.load();
  return (stopped == 0 ? true_time : stopped) + g_steady.load();
}

int Read(clockid_t clock, timespec* time) {
  const long result = syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && clock == CLOCK_MONOTONIC) Set(time, Steady(Total(*time)));
  if (result == 0 && clock == CLOCK_REALTIME) Set(time, Total(*time) + g_real.load());
  return static_cast<int>(result);
}

}  // namespace

void AdvanceSteadyClock(std::chrono::nanoseconds by) { g_steady += by.count(); }
void StopSteadyClock() {
  timespec now;
  if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) == 0) g_stopped_at = Total(now);
}

void ShiftRealTime(std::chrono::nanoseconds by) { g_real = by.count(); }

}  // namespace sockgate::testing

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  return sockgate::testing::Read(clock, time);
}
