#include "tests/bench/rounds.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "broker/resolver/socket_server.h"

namespace sockgate::bench {

absl::Status RunRounds(const RoundPlan& plan, const Turn& turn,
                       const std::function<void()>& end_round) {
  using Clock = std::chrono::steady_clock;
  std::minstd_rand random(std::random_device{}());
  std::vector<size_t> order(plan.ways);
  std::iota(order.begin(), order.end(), 0);
  const auto end = Clock::now() + plan.budget;
  for (size_t round = 0; round == 0 || Clock::now() < end; ++round) {
    const auto begun = Clock::now();
    std::shuffle(order.begin(), order.end(), random);
    for (const size_t way : order) {
      if (absl::Status status = turn(way, round); !status.ok()) return status;
    }
    end_round();
    std::this_thread::sleep_until(begun + plan.least_round);
  }
  return absl::OkStatus();
}

std::chrono::milliseconds LeastRoundFor(size_t new_names) {
  return std::chrono::milliseconds(new_names * 2000 / kMaxSocketsPerSecond);
}

}  // namespace sockgate::bench
