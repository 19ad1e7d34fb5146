#include "broker/look_budget.h"

#include <algorithm>

namespace sockgate {

void LookBudget::Spend(TimePoint now, std::chrono::nanoseconds taken) {
  ++looks_;
  paid_at_ = std::max(paid_at_, now) + std::min<std::chrono::nanoseconds>(taken, kLongest) * kOneIn;
}

}  // namespace sockgate
