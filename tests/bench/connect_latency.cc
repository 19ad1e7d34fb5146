#include "tests/bench/connect_latency.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/broker_client.h"
#include "tests/bench/accept_sink.h"
#include "tests/bench/bare_broker.h"
#include "tests/bench/bench_broker.h"
#include "tests/bench/child_process.h"
#include "tests/bench/connect_ways.h"
#include "tests/bench/rounds.h"

namespace sockgate::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr size_t kBatch = 100;
constexpr size_t kAddresses = 8;

// What has been measured of one way.
struct Record {
  std::vector<double> us;
  std::vector<double> medians;  // by round
  double helper_cpu_us = 0;
};

// Connects one batch; an empty result when a connect failed. Sockets are closed after the last one:
// a socket that is closed at once may be torn down by the broker, which holds its duplicate a
// moment longer, in the time of the next connect.
std::vector<double> TimeBatch(const ConnectWay& way, const AcceptSink& sink, const Target& target) {
  std::vector<double> us;
  std::vector<UniqueFd> sockets;
  us.reserve(kBatch);
  sockets.reserve(kBatch);
  for (size_t i = 0; i < kBatch; ++i) {
    const auto begun = Clock::now();
    UniqueFd socket = way.connect(target);
    const auto ended = Clock::now();
    if (!socket.valid()) return {};
    us.push_back(Microseconds(ended - begun).count());
    sockets.push_back(std::move(socket));
  }
  for (UniqueFd& socket : sockets) CloseAtOnce(std::move(socket));
  sink.Drain();
  return us;
}

absl::Status MeasureBatch(const ConnectWay& way, const AcceptSink& sink, const Target& target,
                          Record* record) {
  const double cpu_before = CpuMicroseconds(way.helper);
  const std::vector<double> us = TimeBatch(way, sink, target);
  if (us.empty()) return absl::UnavailableError(absl::StrCat(way.name, ": a connect failed"));
  record->helper_cpu_us += CpuMicroseconds(way.helper) - cpu_before;
  record->medians.push_back(MedianOf(us));
  record->us.insert(record->us.end(), us.begin(), us.end());
  return absl::OkStatus();
}

LatencyTable Summarize(const std::vector<ConnectWay>& ways, const std::vector<Record>& records) {
  LatencyTable table;
  table.rounds = records.front().medians.size();
  table.batch = kBatch;
  for (size_t i = 0; i < ways.size(); ++i) {
    const Record& record = records[i];
    const double cpu = record.helper_cpu_us / static_cast<double>(record.us.size());
    table.rows.push_back({ways[i].name, PercentilesOf(record.us),
                          SpreadOf(RatiosOf(record.medians, records.front().medians)), cpu});
  }
  return table;
}

absl::StatusOr<LatencyTable> MeasureRounds(const std::vector<ConnectWay>& ways,
                                           const AcceptSink& sink, BenchBroker* broker,
                                           std::chrono::milliseconds budget) {
  // The first batches meet cold caches and mint the client's channel: not counted.
  for (const ConnectWay& way : ways) {
    Record unused;
    absl::Status status = MeasureBatch(way, sink, sink.targets().front(), &unused);
    if (!status.ok()) return status;
  }
  std::vector<Record> records(ways.size());
  const auto measure = [&](size_t way, size_t round) {
    const Target& target = sink.targets()[round % sink.targets().size()];
    return MeasureBatch(ways[way], sink, target, &records[way]);
  };
  const absl::Status status =
      RunRounds({ways.size(), budget}, measure, [broker] { broker->CutAuditLog(); });
  if (!status.ok()) return status;
  return Summarize(ways, records);
}

}  // namespace

absl::StatusOr<LatencyTable> MeasureLatency(Acceptor acceptor, std::chrono::milliseconds budget) {
  const auto sink = AcceptSink::Listen(kAddresses, acceptor);
  if (!sink.ok()) return sink.status();
  auto bare = BareBroker::Start();
  if (!bare.ok()) return bare.status();
  auto broker = BenchBroker::Start();
  if (!broker.ok()) return broker.status();
  auto channel = broker->AddWorker();
  if (!channel.ok()) return channel.status();
  auto client = BrokerClient::FromDescriptor(*std::move(channel));
  if (!client.ok()) return client.status();
  const std::vector<ConnectWay> ways = AllConnectWays(&*bare, client->get(), broker->pid());
  auto table = MeasureRounds(ways, *sink, &*broker, budget);
  if (table.ok()) table->acceptor = acceptor;
  return table;
}

}  // namespace sockgate::bench
