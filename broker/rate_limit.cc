#include "broker/rate_limit.h"

#include <algorithm>
#include <chrono>

namespace sockgate {
namespace {

constexpr uint64_t kToken = 1'000'000'000;
constexpr uint64_t kNanosecondsPerMs = 1'000'000;

uint64_t DivideUp(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

}  // namespace

uint32_t RateLimit::Take(uint32_t per_second, uint32_t burst, TimePoint now) {
  const uint64_t rate = per_second;
  if (rate == 0) return 0;
  Fill(rate, std::max<uint64_t>(burst, 1) * kToken, now);
  if (level_ < kToken) {
    const uint64_t nanoseconds = DivideUp(kToken - level_, rate);
    return static_cast<uint32_t>(DivideUp(nanoseconds, kNanosecondsPerMs));
  }
  level_ -= kToken;
  return 0;
}

void RateLimit::GiveBack() { level_ += kToken; }

void RateLimit::Fill(uint64_t rate, uint64_t room, TimePoint now) {
  // Callers read their clocks before they come here, and another may have come first.
  now = std::max(now, filled_.value_or(now));
  const auto since = now - filled_.value_or(now);
  const auto elapsed = static_cast<uint64_t>(std::chrono::nanoseconds(since).count());
  level_ = std::min(level_, room);
  // Asked this way round the product below cannot overflow.
  if (!filled_.has_value() || elapsed >= DivideUp(room - level_, rate)) {
    level_ = room;
  } else {
    level_ += elapsed * rate;
  }
  filled_ = now;
}

}  // namespace sockgate
