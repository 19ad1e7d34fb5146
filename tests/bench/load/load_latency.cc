#include "tests/bench/load/load_latency.h"

#include <array>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/broker_client.h"
#include "tests/bench/connect_ways.h"
#include "tests/bench/load/load_broker.h"
#include "tests/bench/rounds.h"
#include "tests/bench/timed_batch.h"

namespace sockgate::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr size_t kBatch = 100;
constexpr size_t kModes = 2;
constexpr size_t kAddresses = 8;
constexpr size_t kFloodAddresses = 64;
// For a flood to be in full swing, or to have died down.
constexpr std::chrono::milliseconds kSwing(10);

bool IsFlood(Deed deed) { return deed != Deed::kPending && deed != Deed::kIdle; }

std::string NameOf(const CrowdPlan& plan) {
  const std::string workers =
      absl::StrCat(plan.workers, plan.workers == 1 ? " worker" : " workers");
  switch (plan.deed) {
    case Deed::kPending:
      return absl::StrCat(plan.workers * plan.channels * LoadCrowd::kPendingOfChannel,
                          " handshakes pending of ", workers);
    case Deed::kIdle:
      return absl::StrCat(plan.workers * plan.channels, " idle channels of ", workers);
    case Deed::kDenied:
      return absl::StrCat(workers, " asking for what is denied");
    case Deed::kConnecting:
      return absl::StrCat(workers, " connecting");
    case Deed::kGarbage:
      return absl::StrCat(workers, " sending garbage and coming again");
  }
  return "";
}

// A broker and the healthy worker that measures it, which is this process.
struct Place {
  LoadBroker broker;
  std::unique_ptr<BrokerClient> client;

  static absl::StatusOr<Place> Make() {
    auto broker = LoadBroker::Start();
    if (!broker.ok()) return broker.status();
    auto client = BrokerClient::FromPath(broker->path());
    if (!client.ok()) return client.status();
    return Place{*std::move(broker), *std::move(client)};
  }
};

// What has been measured of one side in one mode.
struct Samples {
  std::vector<double> us;
  std::vector<double> p50;  // by round
  std::vector<double> p99;  // the same
  double cpu_us = 0;
  double wall_us = 0;
  uint64_t done = 0;  // by the flood
};

struct Side {
  std::string name;
  Place* place;            // where the healthy worker is
  const LoadCrowd* flood;  // that goes on meanwhile, or null
  std::array<Samples, kModes> modes = {};
};

void Record(const std::vector<double>& us, Samples* samples) {
  const Percentiles of_batch = PercentilesOf(us);
  samples->p50.push_back(of_batch.p50);
  samples->p99.push_back(of_batch.p99);
  samples->us.insert(samples->us.end(), us.begin(), us.end());
}

class Measurement {
 public:
  Measurement(CrowdPlan plan, const AcceptSink* sink) : plan_(std::move(plan)), sink_(sink) {}

  absl::Status Prepare();
  absl::Status Run(std::chrono::milliseconds budget);
  std::vector<LoadTable> Tables() const;

 private:
  absl::Status Crowd(const Place& place, std::optional<LoadCrowd>* crowd);
  absl::Status TakeTurn(size_t turn, size_t round);
  LoadSide Summarize(const Side& side, size_t mode) const;

  CrowdPlan plan_;
  const AcceptSink* const sink_;
  std::optional<Place> here_;
  std::optional<Place> elsewhere_;
  std::optional<LoadCrowd> crowd_here_;
  std::optional<LoadCrowd> crowd_elsewhere_;
  std::vector<Side> sides_;  // alone first, here last
};

absl::Status Measurement::Crowd(const Place& place, std::optional<LoadCrowd>* crowd) {
  CrowdPlan plan = plan_;
  plan.path = place.broker.path();
  auto started = LoadCrowd::Start(plan);
  if (!started.ok()) return started.status();
  crowd->emplace(*std::move(started));
  return absl::OkStatus();
}

absl::Status Measurement::Prepare() {
  for (std::optional<Place>* place : {&here_, &elsewhere_}) {
    auto made = Place::Make();
    if (!made.ok()) return made.status();
    place->emplace(*std::move(made));
  }
  if (absl::Status status = Crowd(*here_, &crowd_here_); !status.ok()) return status;
  if (!IsFlood(plan_.deed)) {
    sides_.push_back({"alone", &*elsewhere_, nullptr});
    sides_.push_back({"here", &*here_, nullptr});
    return absl::OkStatus();
  }
  if (absl::Status status = Crowd(*elsewhere_, &crowd_elsewhere_); !status.ok()) return status;
  sides_.push_back({"alone", &*here_, nullptr});
  sides_.push_back({"elsewhere", &*here_, &*crowd_elsewhere_});
  sides_.push_back({"here", &*here_, &*crowd_here_});
  return absl::OkStatus();
}

absl::Status Measurement::Run(std::chrono::milliseconds budget) {
  const auto turn = [this](size_t way, size_t round) { return TakeTurn(way, round); };
  const auto end_round = [this] {
    here_->broker.CutAuditLog();
    elsewhere_->broker.CutAuditLog();
  };
  // The first round meets cold caches: not counted.
  absl::Status status =
      RunRounds({sides_.size() * kModes, std::chrono::milliseconds(0)}, turn, end_round);
  if (!status.ok()) return status;
  for (Side& side : sides_) side.modes = {};
  return RunRounds({sides_.size() * kModes, budget}, turn, end_round);
}

absl::Status Measurement::TakeTurn(size_t turn, size_t round) {
  Side* const side = &sides_[turn / kModes];
  const size_t mode = turn % kModes;
  Samples* const samples = &side->modes[mode];
  const pid_t broker = side->place->broker.pid();
  const ConnectWay way = BrokeredWays(side->place->client.get(), broker)[mode];
  const Target& target = sink_->targets()[round % sink_->targets().size()];
  if (side->flood != nullptr) {
    side->flood->Resume();
    std::this_thread::sleep_for(kSwing);
  }
  const auto begun = Clock::now();
  const double cpu_before = CpuMicroseconds(broker);
  const uint64_t done_before = side->flood == nullptr ? 0 : side->flood->done();
  const std::vector<double> us = TimeBatch(way, *sink_, target, kBatch);
  samples->cpu_us += CpuMicroseconds(broker) - cpu_before;
  samples->wall_us += Seconds(Clock::now() - begun).count() * 1e6;
  if (side->flood != nullptr) {
    samples->done += side->flood->done() - done_before;
    side->flood->Pause();
    std::this_thread::sleep_for(kSwing);
  }
  if (us.empty()) {
    return absl::UnavailableError(
        absl::StrCat(NameOf(plan_), ", ", side->name, ": a connect failed"));
  }
  Record(us, samples);
  return absl::OkStatus();
}

LoadSide Measurement::Summarize(const Side& side, size_t mode) const {
  const Samples& samples = side.modes[mode];
  const Samples& alone = sides_.front().modes[mode];
  LoadSide summary;
  summary.side = side.name;
  summary.us = PercentilesOf(samples.us);
  summary.p50_ratio = SpreadOf(RatiosOf(samples.p50, alone.p50));
  summary.p99_ratio = SpreadOf(RatiosOf(samples.p99, alone.p99));
  summary.p99_to_alone = summary.us.p99 / PercentilesOf(alone.us).p99;
  summary.broker_cpu = samples.cpu_us / samples.wall_us;
  return summary;
}

std::vector<LoadTable> Measurement::Tables() const {
  std::vector<LoadTable> tables;
  for (size_t mode = 0; mode < kModes; ++mode) {
    LoadTable table;
    table.load = NameOf(plan_);
    table.mode = mode == 0 ? "connected" : "in progress";
    table.rounds = sides_.front().modes[mode].p50.size();
    table.batch = kBatch;
    const Samples& here = sides_.back().modes[mode];
    table.per_second = static_cast<double>(here.done) / (here.wall_us / 1e6);
    for (const Side& side : sides_) table.sides.push_back(Summarize(side, mode));
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace

absl::StatusOr<std::vector<LoadTable>> MeasureLoad(CrowdPlan plan,
                                                   std::chrono::milliseconds budget) {
  const auto sink = AcceptSink::Listen(kAddresses, Acceptor::kLater);
  if (!sink.ok()) return sink.status();
  const auto flood_sink = AcceptSink::Listen(kFloodAddresses, Acceptor::kProcess);
  if (!flood_sink.ok()) return flood_sink.status();
  plan.targets = flood_sink->targets();
  Measurement measurement(std::move(plan), &*sink);
  absl::Status status = measurement.Prepare();
  if (status.ok()) status = measurement.Run(budget);
  if (!status.ok()) return status;
  return measurement.Tables();
}

}  // namespace sockgate::bench
