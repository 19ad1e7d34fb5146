// Rounds: takes turns, so that whatever else the machine does meets all ways alike.

#ifndef SOCKGATE_TESTS_BENCH_ROUNDS_H_
#define SOCKGATE_TESTS_BENCH_ROUNDS_H_

#include <chrono>
#include <cstddef>
#include <functional>

#include "absl/status/status.h"

namespace sockgate::bench {

// One way's turn in a round.
using Turn = std::function<absl::Status(size_t way, size_t round)>;

struct RoundPlan {
  size_t ways = 0;
  std::chrono::milliseconds budget{0};       // to take about so long, but at least one round
  std::chrono::milliseconds least_round{0};  // no round is shorter: it waits at its end
};

// Gives each way one turn a round, in random order, and ends each round with `end_round`. Stops at
// the first error.
absl::Status RunRounds(const RoundPlan& plan, const Turn& turn,
                       const std::function<void()>& end_round);

// How long a round with so many new names has to be, so that the broker's resolver has enough
// sockets: kMaxSocketsPerSecond (broker/resolver/socket_server.h) and some room.
std::chrono::milliseconds LeastRoundFor(size_t new_names);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_ROUNDS_H_
