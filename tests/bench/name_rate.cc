#include "tests/bench/name_rate.h"

#include <utility>
#include <vector>

#include "tests/bench/bench_broker.h"
#include "tests/bench/fetch_sides.h"

namespace sockgate::bench {
namespace {

constexpr size_t kAddresses = 8;

}  // namespace

absl::StatusOr<RateTable> MeasureNameRates(std::chrono::milliseconds budget) {
  const auto server = FetchServer::Start(kAddresses);
  if (!server.ok()) return server.status();
  auto broker = BenchBroker::StartWithNames();
  if (!broker.ok()) return broker.status();

  const std::vector<ConfinedWay> ways = {
      {"sockgate, resolver thread", ConnectMode::kInProgress, true, false},
      {"sockgate, ResolveAhead", ConnectMode::kInProgress, true, true},
  };
  std::vector<FetchSide> sides;
  auto plain = FetchSide::Plain(server->urls());
  if (!plain.ok()) return plain.status();
  sides.push_back(*std::move(plain));
  for (const ConfinedWay& way : ways) {
    auto side = FetchSide::Confined(server->urls(), &*broker, way);
    if (!side.ok()) return side.status();
    sides.push_back(*std::move(side));
  }
  const std::vector<Load> loads = {{1, 60, FetchHosts::kNewNames},
                                   {10, 200, FetchHosts::kNewNames},
                                   {1, 60, FetchHosts::kOneName}};
  return MeasureSides(sides, loads, server->urls().size(), &*broker, budget);
}

}  // namespace sockgate::bench
