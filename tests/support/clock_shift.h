// ClockShift: what this process takes for the time, moved by as much as the test likes.
//
// Linked into a program it stands before libc's clock_gettime(2), through which the C++ clocks
// read theirs; the kernel's own timers, such as timerfd(2)'s, go on by the true time. It is there
// from the program's start, and shifts by nothing until it is told to.
// Threads: any, at any time.

#ifndef SOCKGATE_TESTS_SUPPORT_CLOCK_SHIFT_H_
#define SOCKGATE_TESTS_SUPPORT_CLOCK_SHIFT_H_

#include <chrono>

namespace sockgate::testing {

// CLOCK_MONOTONIC goes this much further. Never back.
void AdvanceSteadyClock(std::chrono::nanoseconds by);

// CLOCK_MONOTONIC stands still from now on, but for AdvanceSteadyClock().
void StopSteadyClock();

// CLOCK_REALTIME is the true one and this, from now on.
void ShiftRealTime(std::chrono::nanoseconds by);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_CLOCK_SHIFT_H_
