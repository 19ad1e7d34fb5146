#include "tests/bench/load/idle_cost.h"

#include <chrono>
#include <thread>

#include "tests/bench/load/load_broker.h"
#include "tests/bench/load/load_crowd.h"
#include "tests/support/process_stats.h"

namespace sockgate::bench {
namespace {

// Long enough that one wake-up more is not many more a second.
constexpr std::chrono::seconds kWatched(2);
// For the last audit line to be written.
constexpr std::chrono::milliseconds kRest(100);

absl::StatusOr<double> WakeUpsPerSecond(pid_t broker) {
  std::this_thread::sleep_for(kRest);
  const auto before = testing::WakeUps(broker);
  if (!before.ok()) return before.status();
  std::this_thread::sleep_for(kWatched);
  const auto after = testing::WakeUps(broker);
  if (!after.ok()) return after.status();
  return static_cast<double>(*after - *before) / static_cast<double>(kWatched.count());
}

// The first workers make the broker touch its own code, and what is left of their channels is used
// again.
absl::Status WarmUp(const LoadBroker& broker, size_t workers) {
  CrowdPlan plan;
  plan.workers = workers;
  plan.path = broker.path();
  return LoadCrowd::Start(plan).status();
}

}  // namespace

absl::StatusOr<IdleCost> MeasureIdleCost(size_t workers, size_t channels_of_each) {
  const auto broker = LoadBroker::Start();
  if (!broker.ok()) return broker.status();
  if (absl::Status status = WarmUp(*broker, 10); !status.ok()) return status;
  IdleCost cost;
  cost.channels = workers * channels_of_each;
  const auto wakeups_without = WakeUpsPerSecond(broker->pid());
  const auto bytes_before = testing::ResidentBytes(broker->pid());
  CrowdPlan plan;
  plan.workers = workers;
  plan.channels = channels_of_each;
  plan.path = broker->path();
  const auto crowd = LoadCrowd::Start(plan);
  if (!crowd.ok()) return crowd.status();
  const auto wakeups_with = WakeUpsPerSecond(broker->pid());
  const auto bytes_after = testing::ResidentBytes(broker->pid());
  if (!wakeups_without.ok() || !wakeups_with.ok()) return wakeups_with.status();
  if (!bytes_before.ok() || !bytes_after.ok()) return bytes_after.status();
  cost.bytes_per_channel =
      (static_cast<double>(*bytes_after) - static_cast<double>(*bytes_before)) /
      static_cast<double>(cost.channels);
  cost.wakeups_without = *wakeups_without;
  cost.wakeups_with = *wakeups_with;
  return cost;
}

}  // namespace sockgate::bench
