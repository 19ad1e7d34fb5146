#include "tests/bench/fetch_rate.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <random>
#include <utility>

#include "proto/messages.h"
#include "tests/bench/bench_broker.h"
#include "tests/bench/child_process.h"
#include "tests/bench/fetch_sides.h"

namespace sockgate::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kAddresses = 8;

struct Load {
  uint32_t concurrency;
  uint32_t batch;
};
constexpr std::array<Load, 3> kLoads = {{{1, 60}, {10, 200}, {100, 400}}};

// What has been measured of one side at one load.
struct Cell {
  const FetchSide* side;
  Load load;
  size_t baseline;  // the cell of plain libcurl at this load
  std::vector<double> rates = {};
  std::vector<double> ratios = {};
  double cpu_us = 0;
};

std::vector<Cell> CellsOf(const std::vector<FetchSide>& sides) {
  std::vector<Cell> cells;
  for (const Load& load : kLoads) {
    const size_t baseline = cells.size();
    for (const FetchSide& side : sides) cells.push_back({&side, load, baseline});
  }
  return cells;
}

absl::Status MeasureCell(Cell* cell, uint32_t url) {
  const double cpu_before = CpuMicroseconds(cell->side->helper());
  const auto seconds = cell->side->Perform({cell->load.concurrency, cell->load.batch, url});
  if (!seconds.ok()) return seconds.status();
  cell->cpu_us += CpuMicroseconds(cell->side->helper()) - cpu_before;
  cell->rates.push_back(cell->load.batch / *seconds);
  return absl::OkStatus();
}

absl::Status MeasureRound(std::vector<Cell>* cells, const std::vector<size_t>& order,
                          uint32_t url) {
  for (const size_t i : order) {
    if (absl::Status status = MeasureCell(&(*cells)[i], url); !status.ok()) return status;
  }
  for (Cell& cell : *cells) {
    cell.ratios.push_back(cell.rates.back() / (*cells)[cell.baseline].rates.back());
  }
  return absl::OkStatus();
}

RateTable Summarize(const std::vector<Cell>& cells) {
  RateTable table;
  table.rounds = cells.front().rates.size();
  for (const Cell& cell : cells) {
    const auto fetches = static_cast<double>(cell.rates.size() * cell.load.batch);
    table.rows.push_back({cell.side->name(), cell.load.concurrency, cell.load.batch,
                          MedianOf(cell.rates), SpreadOf(cell.ratios), cell.cpu_us / fetches});
  }
  return table;
}

absl::StatusOr<RateTable> MeasureRounds(const std::vector<FetchSide>& sides, size_t urls,
                                        BenchBroker* broker, std::chrono::milliseconds budget) {
  std::minstd_rand random(std::random_device{}());
  std::vector<Cell> cells = CellsOf(sides);
  std::vector<size_t> order(cells.size());
  std::iota(order.begin(), order.end(), 0);

  // The first round makes handles and channels: not counted.
  std::vector<Cell> unused = cells;
  absl::Status status = MeasureRound(&unused, order, 0);
  if (!status.ok()) return status;

  const auto end = Clock::now() + budget;
  for (size_t round = 0; round == 0 || Clock::now() < end; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    status = MeasureRound(&cells, order, static_cast<uint32_t>(round % urls));
    if (!status.ok()) return status;
    broker->CutAuditLog();
  }
  return Summarize(cells);
}

}  // namespace

absl::StatusOr<RateTable> MeasureRates(std::chrono::milliseconds budget) {
  const auto server = FetchServer::Start(kAddresses);
  if (!server.ok()) return server.status();
  auto broker = BenchBroker::Start();
  if (!broker.ok()) return broker.status();
  auto plain = FetchSide::Plain(server->urls());
  if (!plain.ok()) return plain.status();
  auto connected = FetchSide::Confined(server->urls(), &*broker, ConnectMode::kConnected);
  if (!connected.ok()) return connected.status();
  auto in_progress = FetchSide::Confined(server->urls(), &*broker, ConnectMode::kInProgress);
  if (!in_progress.ok()) return in_progress.status();

  std::vector<FetchSide> sides;
  sides.push_back(*std::move(plain));
  sides.push_back(*std::move(connected));
  sides.push_back(*std::move(in_progress));
  return MeasureRounds(sides, server->urls().size(), &*broker, budget);
}

}  // namespace sockgate::bench
