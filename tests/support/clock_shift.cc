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
std::atomic<int64_t> g_real{0};

void Shift(timespec* time, int64_t by) {
  const int64_t sum = time->tv_sec * kNanoseconds + time->tv_nsec + by;
  time->tv_sec = sum / kNanoseconds;
  time->tv_nsec = sum % kNanoseconds;
}

int Read(clockid_t clock, timespec* time) {
  const long result = syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && clock == CLOCK_MONOTONIC) Shift(time, g_steady.load());
  if (result == 0 && clock == CLOCK_REALTIME) Shift(time, g_real.load());
  return static_cast<int>(result);
}

}  // namespace

void AdvanceSteadyClock(std::chrono::nanoseconds by) { g_steady += by.count(); }
void ShiftRealTime(std::chrono::nanoseconds by) { g_real = by.count(); }

}  // namespace sockgate::testing

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  return sockgate::testing::Read(clock, time);
}
