#include "tests/bench/lookup_latency.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/broker_client.h"
#include "tests/bench/bench_broker.h"
#include "tests/bench/child_process.h"
#include "tests/bench/name_server.h"
#include "tests/bench/rounds.h"

namespace sockgate::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr size_t kBatch = 50;

// About the size of a request and its reply.
constexpr size_t kPacketBytes = 48;

struct LookupWay {
  std::string name;
  std::function<absl::Status()> look_up;
  pid_t helper = 0;
  std::vector<double> us = {};
  std::vector<double> medians = {};  // by round
  double helper_cpu_us = 0;
};

std::string NewName() {
  static uint64_t last = 0;
  return absl::StrCat("2lookup", ++last, ".", kZone);
}

absl::Status Libc() {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = getaddrinfo(NewName().c_str(), "80", &hints, &list);
  if (code != 0) return absl::UnavailableError(gai_strerror(code));
  freeaddrinfo(list);
  return absl::OkStatus();
}

absl::Status Resolve(BrokerClient* client, const std::string& name) {
  const ConnectError error = client->Resolve(name, NameFamily::kAny).error;
  return error.ok() ? absl::OkStatus() : absl::UnavailableError(error.ToString());
}

void Echo(int control) {
  char packet[kPacketBytes];
  while (recv(control, packet, sizeof(packet), 0) == sizeof(packet)) {
    if (send(control, packet, sizeof(packet), MSG_NOSIGNAL) < 0) return;
  }
}

absl::Status RoundTrip(int control) {
  char packet[kPacketBytes] = {};
  const bool came = send(control, packet, sizeof(packet), MSG_NOSIGNAL) == sizeof(packet) &&
                    recv(control, packet, sizeof(packet), 0) == sizeof(packet);
  return came ? absl::OkStatus() : absl::UnavailableError("no answer");
}

absl::Status Named(const LookupWay& way, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(way.name, ": ", status.message()));
}

absl::Status MeasureBatch(LookupWay* way) {
  const double cpu_before = CpuMicroseconds(way->helper);
  std::vector<double> us;
  us.reserve(kBatch);
  for (size_t i = 0; i < kBatch; ++i) {
    const auto begun = Clock::now();
    const absl::Status status = way->look_up();
    us.push_back(Microseconds(Clock::now() - begun).count());
    if (!status.ok()) return Named(*way, status);
  }
  way->helper_cpu_us += CpuMicroseconds(way->helper) - cpu_before;
  way->medians.push_back(MedianOf(us));
  way->us.insert(way->us.end(), us.begin(), us.end());
  return absl::OkStatus();
}

LookupTable Summarize(const std::vector<LookupWay>& ways) {
  LookupTable table;
  table.rounds = ways.front().medians.size();
  table.batch = kBatch;
  for (const LookupWay& way : ways) {
    const double cpu = way.helper_cpu_us / static_cast<double>(way.us.size());
    table.rows.push_back({way.name, PercentilesOf(way.us),
                          SpreadOf(RatiosOf(way.medians, ways.front().medians)), cpu});
  }
  return table;
}

}  // namespace

absl::StatusOr<LookupTable> MeasureLookups(std::chrono::milliseconds budget) {
  auto echo = ChildProcess::Start(Echo);
  if (!echo.ok()) return echo.status();
  auto broker = BenchBroker::StartWithNames();
  if (!broker.ok()) return broker.status();
  auto channel = broker->AddWorker();
  if (!channel.ok()) return channel.status();
  auto client = BrokerClient::FromDescriptor(*std::move(channel));
  if (!client.ok()) return client.status();

  const std::string known = NewName();
  BrokerClient* const asked = client->get();
  std::vector<LookupWay> ways;
  ways.push_back({"getaddrinfo() of libc", Libc});
  ways.push_back({"sockgate, new name", [&] { return Resolve(asked, NewName()); }, broker->pid()});
  ways.push_back({"sockgate, known name", [&] { return Resolve(asked, known); }, broker->pid()});
  ways.push_back({"a bare round trip", [&] { return RoundTrip(echo->control()); }, echo->pid()});

  // Not counted: the first lookup mints the client's channel, and tells the broker the known name.
  for (const LookupWay& way : ways) {
    if (absl::Status first = way.look_up(); !first.ok()) return Named(way, first);
  }
  const absl::Status measured = RunRounds(
      {ways.size(), budget, LeastRoundFor(kBatch)},
      [&](size_t way, size_t /*round*/) { return MeasureBatch(&ways[way]); },
      [&] { broker->CutAuditLog(); });
  if (!measured.ok()) return measured;
  return Summarize(ways);
}

}  // namespace sockgate::bench
