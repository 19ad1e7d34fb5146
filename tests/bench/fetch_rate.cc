#include "tests/bench/fetch_rate.h"

#include <utility>

#include "proto/messages.h"
#include "tests/bench/child_process.h"
#include "tests/bench/rounds.h"

namespace sockgate::bench {
namespace {

constexpr size_t kAddresses = 8;

// What has been measured of one side at one load.
struct Cell {
  const FetchSide* side;
  Load load;
  size_t baseline;                 // the cell of the first side at this load
  std::vector<double> rates = {};  // by round
  double cpu_us = 0;
};

std::vector<Cell> CellsOf(const std::vector<FetchSide>& sides, const std::vector<Load>& loads) {
  std::vector<Cell> cells;
  for (const Load& load : loads) {
    const size_t baseline = cells.size();
    for (const FetchSide& side : sides) cells.push_back({&side, load, baseline});
  }
  return cells;
}

// How many new names the broker hears of in a round.
size_t NewNames(const std::vector<Cell>& cells) {
  size_t names = 0;
  for (const Cell& cell : cells) {
    const bool asks = cell.side->helper() != 0 && cell.load.hosts == FetchHosts::kNewNames;
    names += asks ? cell.load.batch : 0;
  }
  return names;
}

absl::Status MeasureCell(Cell* cell, uint32_t url) {
  const double cpu_before = CpuMicroseconds(cell->side->helper());
  const auto seconds =
      cell->side->Perform({cell->load.concurrency, cell->load.batch, url, cell->load.hosts});
  if (!seconds.ok()) return seconds.status();
  cell->cpu_us += CpuMicroseconds(cell->side->helper()) - cpu_before;
  cell->rates.push_back(cell->load.batch / *seconds);
  return absl::OkStatus();
}

RateTable Summarize(const std::vector<Cell>& cells) {
  RateTable table;
  table.rounds = cells.front().rates.size();
  for (const Cell& cell : cells) {
    const std::vector<double> ratios = RatiosOf(cell.rates, cells[cell.baseline].rates);
    const auto fetches = static_cast<double>(cell.rates.size() * cell.load.batch);
    table.rows.push_back({cell.side->name(), cell.load, MedianOf(cell.rates), SpreadOf(ratios),
                          cell.cpu_us / fetches});
  }
  return table;
}

}  // namespace

absl::StatusOr<RateTable> MeasureSides(const std::vector<FetchSide>& sides,
                                       const std::vector<Load>& loads, size_t urls,
                                       BenchBroker* broker, std::chrono::milliseconds budget) {
  std::vector<Cell> cells = CellsOf(sides, loads);
  // The first fetches make handles and channels: not counted.
  std::vector<Cell> unused = cells;
  for (Cell& cell : unused) {
    if (absl::Status status = MeasureCell(&cell, 0); !status.ok()) return status;
  }
  const auto measure = [&](size_t i, size_t round) {
    return MeasureCell(&cells[i], static_cast<uint32_t>(round % urls));
  };
  const absl::Status status = RunRounds({cells.size(), budget, LeastRoundFor(NewNames(cells))},
                                        measure, [broker] { broker->CutAuditLog(); });
  if (!status.ok()) return status;
  return Summarize(cells);
}

absl::StatusOr<RateTable> MeasureRates(std::chrono::milliseconds budget) {
  const auto server = FetchServer::Start(kAddresses);
  if (!server.ok()) return server.status();
  auto broker = BenchBroker::Start();
  if (!broker.ok()) return broker.status();
  auto plain = FetchSide::Plain(server->urls());
  if (!plain.ok()) return plain.status();
  auto connected = FetchSide::Confined(server->urls(), &*broker,
                                       {"sockgate, connected", ConnectMode::kConnected});
  if (!connected.ok()) return connected.status();
  auto in_progress = FetchSide::Confined(server->urls(), &*broker,
                                         {"sockgate, in progress", ConnectMode::kInProgress});
  if (!in_progress.ok()) return in_progress.status();

  std::vector<FetchSide> sides;
  sides.push_back(*std::move(plain));
  sides.push_back(*std::move(connected));
  sides.push_back(*std::move(in_progress));
  const std::vector<Load> loads = {{1, 60}, {10, 200}, {100, 400}};
  return MeasureSides(sides, loads, server->urls().size(), &*broker, budget);
}

}  // namespace sockgate::bench
