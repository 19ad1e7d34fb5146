// resolve_bench: what it costs to have the broker look names up, instead of libc.
//
//   bazel run --config=opt //tests/bench:resolve_bench -- [--seconds N] [--json FILE]
//
// 1. Latency: microseconds until the addresses of a name are in hand, of both families:
//      getaddrinfo() of libc  the baseline: the hosts file, the name server; it keeps nothing
//      sockgate, new name     BrokerClient::Resolve: worker, broker, resolver, name server
//      sockgate, known name   the same, from the broker's cache
//      a bare round trip      48 bytes to another process and back: the least that the broker's
//                             cache can cost
//    All callers are this one process, unconfined.
//
// 2. Rates: fetches a second of a 38-byte body by a URL with a name, each over a new connection.
//    Plain libcurl with libc's resolver, against libcurl in workers confined with the fetcher
//    profile: once with the name shim, so that libcurl looks up in a thread of its own as ever, and
//    once with CurlAdapter::ResolveAhead() before each fetch, so that it starts none. One at a time
//    and 10 at a time with a new name for each fetch, where ResolveAhead() makes the others wait;
//    and one at a time with one name for all. libcurl's own cache of names is kept from answering.
//
// The name server is a process on loopback that answers in microseconds. A real one is a
// millisecond away or fifty, which is the same for all who ask it: so what is measured here is all
// the rest, and a name that somebody knows already is worth far more than these figures say.
//
// libc asks a server at port 53 that its resolv.conf names, so all this runs in namespaces of its
// own (name_network.h): root has them, and other users where the system lets them.
//
// Noise, local ports: as in connect_bench. With few processors it matters most which of them the
// scheduler wakes a process on; `taskset -c 1` takes that out. Between rounds it waits, where more
// new names would come than the broker gives its resolver sockets for in a second. Takes about N
// seconds (30). Exit status: 0; 1 when something could not be measured; 2 when this host gives us
// no such namespaces.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "tests/bench/lookup_latency.h"
#include "tests/bench/name_network.h"
#include "tests/bench/name_rate.h"
#include "tests/bench/name_server.h"
#include "tests/bench/report.h"

namespace sockgate::bench {
namespace {

constexpr int kNotMeasured = 1;
constexpr int kNoNamespaces = 2;

absl::StatusOr<ResolveReport> Measure(std::chrono::milliseconds budget) {
  const auto server = NameServer::Start();
  if (!server.ok()) return server.status();
  ResolveReport report;
  auto lookups = MeasureLookups(budget / 3);
  if (!lookups.ok()) return lookups.status();
  report.lookups = *std::move(lookups);
  auto rate = MeasureNameRates(budget * 2 / 3);
  if (!rate.ok()) return rate.status();
  report.rate = *std::move(rate);
  return report;
}

int Fail(const absl::Status& status, int code) {
  std::fprintf(stderr, "resolve_bench: %s\n", status.ToString().c_str());
  return code;
}

int Run(int seconds, const std::string& json_path) {
  if (absl::Status entered = EnterNameNetwork(); !entered.ok()) return Fail(entered, kNoNamespaces);
  const auto report = Measure(std::chrono::seconds(seconds));
  if (!report.ok()) return Fail(report.status(), kNotMeasured);
  std::fputs(ToText(*report).c_str(), stdout);
  if (json_path.empty() || WriteFile(json_path, ToJson(*report))) return 0;
  return Fail(absl::UnavailableError("cannot write " + json_path), kNotMeasured);
}

}  // namespace
}  // namespace sockgate::bench

int main(int argc, char** argv) {
  int seconds = 30;
  std::string json_path;
  CLI::App app("Measures what it costs to have the broker look names up.");
  app.add_option("--seconds", seconds, "how long to measure, about")->check(CLI::Range(1, 3600));
  app.add_option("--json", json_path, "where to write the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  return sockgate::bench::Run(seconds, json_path);
}
