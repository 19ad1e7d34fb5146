#include "client/backoff.h"

#include <algorithm>

namespace sockgate {

std::chrono::milliseconds Backoff::Next() {
  std::uniform_int_distribution<int64_t> within(step_.count(), 2 * step_.count());
  step_ = std::min(2 * step_, kLongest / 2);
  return std::chrono::milliseconds(within(chance_));
}

}  // namespace sockgate
