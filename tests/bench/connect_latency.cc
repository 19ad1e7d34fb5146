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
#include "tests/bench/timed_batch.h"

namespace sockgate::bench {
namespace {

constexpr size_t kBatch = 100;
constexpr size_t kAddresses = 8;

// What has been measured of one way.
struct Record {
  std::vector<double> us;
  std::vector<double> medians;  // by round
  double helper_cpu_us = 0;
};

absl::Status MeasureBatch(const ConnectWay& way, const AcceptSink& sink, const Target& target,
                          Record* record) {
  const double cpu_before = CpuMicroseconds(way.helper);
  const std::vector<double> us = TimeBatch(way, sink, target, kBatch);
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
