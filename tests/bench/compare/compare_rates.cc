#include "tests/bench/compare/compare_rates.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/bench/compare/connect_cost.h"
#include "tests/bench/compare/machine_load.h"
#include "tests/bench/compare/process_tree.h"
#include "tests/bench/rounds.h"

namespace sockgate::bench {
namespace {

constexpr double kGib = 1 << 30;
// Connections in TIME_WAIT for each local port, at the most. Those that the server closed first
// keep no port of a client's, and the others are spread over the server's addresses and the
// proxies, so that this is long before anybody runs out.
constexpr size_t kWaitingEach = 3;

// What has been measured of one way at one measure.
struct Cell {
  size_t way = 0;
  size_t measure = 0;
  std::vector<double> rates = {};  // by round
  double done = 0;                 // fetches, or GiB
  double helper_us = 0;
  double server_us = 0;
  double busy_us = 0;
  double elapsed_us = 0;
};

class Rates {
 public:
  Rates(const std::vector<Contender>& contenders, const TargetServer& server, CompareReport* report)
      : contenders_(contenders), server_(server), report_(report) {}

  absl::Status Run(const RatesPlan& plan);

 private:
  void MakeCells(const std::vector<std::string>& only);
  absl::Status WarmUp();
  absl::Status TakeTurn(size_t turn, size_t round);
  absl::Status MeasureCell(Cell* cell, size_t round);
  absl::Status CheckPorts(size_t round);
  absl::Status TimeConnects();
  void Summarize();

  const std::vector<Contender>& contenders_;
  const TargetServer& server_;
  CompareReport* const report_;
  std::vector<Cell> cells_;
  std::vector<double> connect_us_;
  size_t checked_round_ = SIZE_MAX;
};

absl::Status Rates::Run(const RatesPlan& plan) {
  MakeCells(plan.only);
  if (cells_.empty()) return absl::OkStatus();
  absl::Status status = WarmUp();
  if (!status.ok()) return status;
  // One turn more than cells: connects that nobody helps with.
  status = RunRounds(
      {cells_.size() + 1, plan.budget},
      [this](size_t turn, size_t round) { return TakeTurn(turn, round); },
      [this] { ++report_->rounds; });
  Summarize();
  return status;
}

void Rates::MakeCells(const std::vector<std::string>& only) {
  for (size_t measure = 0; measure < kMeasures.size(); ++measure) {
    const char* key = kMeasures[measure].key;
    if (!only.empty() && std::find(only.begin(), only.end(), key) == only.end()) continue;
    for (size_t way = 0; way < contenders_.size(); ++way) {
      if (!contenders_[way].side.has_value()) continue;
      if (contenders_[way].only_tls && measure != kHttps) continue;
      cells_.push_back({way, measure});
    }
  }
}

// The first fetches make handles, channels and a daemon's children: not counted.
absl::Status Rates::WarmUp() {
  for (const Cell& cell : cells_) {
    Cell unused = cell;
    if (absl::Status status = MeasureCell(&unused, 0); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Rates::TakeTurn(size_t turn, size_t round) {
  if (absl::Status status = CheckPorts(round); !status.ok()) return status;
  return turn == cells_.size() ? TimeConnects() : MeasureCell(&cells_[turn], round);
}

absl::Status Rates::MeasureCell(Cell* cell, size_t round) {
  const Contender& way = contenders_[cell->way];
  const Measure& measure = kMeasures[cell->measure];
  CompareRow& row = report_->rows[cell->way];
  if (!row.remark.empty()) return absl::OkStatus();
  const double helper = way.HelperCpuMicroseconds();
  const double server = TreeCpuMicroseconds(server_.pid());
  const double busy = BusyMicroseconds();
  const FetchOrder order = {
      measure.concurrency,  measure.batch,     TargetServer::UrlOf(measure.page, round),
      FetchHosts::kAddress, FetchDeed::kFetch, measure.limit_ms};
  const auto answer = way.side->Ask(order);
  if (!answer.ok() || answer->failures != 0) {
    row.remark = answer.ok() ? absl::StrCat(measure.name, ": ", answer->failures, " of ",
                                            answer->begun, " failed")
                             : std::string(answer.status().message());
    return cell->way == 0 ? absl::UnavailableError(row.remark) : absl::OkStatus();
  }
  const double done = cell->measure == kBulk ? static_cast<double>(report_->big_bytes) / kGib
                                             : static_cast<double>(answer->begun);
  cell->rates.push_back(done / (static_cast<double>(answer->elapsed_ns) / 1e9));
  cell->done += done;
  cell->helper_us += way.HelperCpuMicroseconds() - helper;
  cell->server_us += TreeCpuMicroseconds(server_.pid()) - server;
  cell->busy_us += BusyMicroseconds() - busy;
  cell->elapsed_us += static_cast<double>(answer->elapsed_ns) / 1e3;
  return absl::OkStatus();
}

absl::Status Rates::CheckPorts(size_t round) {
  if (round == checked_round_) return absl::OkStatus();
  checked_round_ = round;
  const size_t waiting = TimeWaitCount();
  report_->time_wait = std::max(report_->time_wait, waiting);
  const size_t ports = LocalPortCount();
  if (waiting < ports * kWaitingEach) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(waiting, " connections in TIME_WAIT, and ",
                                                   ports, " local ports for each address"));
}

absl::Status Rates::TimeConnects() {
  const auto us = ConnectCpuMicroseconds(server_.port());
  if (!us.ok()) return us.status();
  connect_us_.push_back(*us);
  return absl::OkStatus();
}

void Rates::Summarize() {
  report_->connect_us = MedianOf(connect_us_);
  std::array<const Cell*, kMeasures.size()> baselines = {};
  for (const Cell& cell : cells_) {
    if (cell.way == 0) baselines[cell.measure] = &cell;
    if (cell.rates.empty()) continue;
    // A way that failed has fewer rounds than the baseline.
    RateFigure figure;
    figure.rate = MedianOf(cell.rates);
    figure.ratio = SpreadOf(RatiosOf(cell.rates, baselines[cell.measure]->rates));
    figure.helper_us = cell.helper_us / cell.done;
    report_->rows[cell.way].rates[cell.measure] = figure;
    if (cell.way == 0) {
      report_->load[cell.measure] = {cell.server_us / cell.elapsed_us,
                                     cell.busy_us / cell.elapsed_us};
    }
  }
}

}  // namespace

absl::Status MeasureRates(const RatesPlan& plan, const std::vector<Contender>& contenders,
                          const TargetServer& server, CompareReport* report) {
  for (const Contender& contender : contenders) {
    report->rows.push_back({contender.key, contender.name, contender.remark});
  }
  return Rates(contenders, server, report).Run(plan);
}

}  // namespace sockgate::bench
