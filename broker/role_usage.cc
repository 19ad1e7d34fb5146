#include "broker/role_usage.h"

namespace sockgate {

uint32_t RoleUsage::TakeConnect(const RoleTotals& totals, TimePoint now) {
  if (totals.connects_per_second == 0) return 0;
  const std::lock_guard<std::mutex> lock(mutex_);
  return connects_.Take(totals.connects_per_second, totals.connect_burst, now);
}

uint32_t RoleUsage::TakeLookup(const RoleTotals& totals, TimePoint now) {
  if (totals.lookups_per_second == 0) return 0;
  const std::lock_guard<std::mutex> lock(mutex_);
  return lookups_taken_.Take(totals.lookups_per_second, totals.lookup_burst, now);
}

}  // namespace sockgate
