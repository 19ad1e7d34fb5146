// connect_bench: what it costs to take sockets from the broker instead of opening them.
//
//   bazel run --config=opt //tests/bench:connect_bench -- [--seconds N] [--json FILE]
//
// 1. Latency: microseconds until a connected TCP socket is in hand, for these in turn:
//      plain, blocking             socket(), connect(): the baseline of every ratio
//      plain, non-blocking + poll  socket(), connect(), poll(), getsockopt(SO_ERROR)
//      bare broker                 the floor: another process does recv, socket, connect, sendmsg,
//                                  close, blocking, with no policy, log or limit
//      sockgate, connected         BrokerClient::Connect
//      sockgate, in progress       BrokerClient::Connect, then poll() and getsockopt(SO_ERROR)
//      both, prepared              the same, 200 us after the socket was asked for ahead, which is
//                                  not timed (BrokerClient::Preconnect); the reply is in the channel
//                                  and Connect() has to take it from there
//    All clients are this one process, unconfined, so that only the way to the socket differs.
//    Measured twice. First with connections that wait in the listener's queue, so that nothing else
//    runs: it varies little, so it is the one to compare changes with. Then against a process that
//    accepts each connection at once, as a server does: with three processes on few processors the
//    figures show where the scheduler puts them as much as what they do.
//
// 2. Rates: fetches of a 38-byte body a second, each over a new connection, from an HTTP server in
//    a process of its own. Plain libcurl, against libcurl through CurlAdapter in workers confined
//    by launch::Worker with the fetcher profile; one at a time (curl_easy), and 10 and 100 at a
//    time (curl_multi).
//
// The broker is a process of its own (BrokerProcess) with ten rules and an audit log in a file.
//
// Noise: rounds of small batches in random order; a ratio compares two batches of one round; shown
// are its median over the rounds and its extremes. Percentiles are of all connects of a way.
// Compare ratios, not microseconds, across machines and days.
//
// Local ports: eight destination addresses (127.0.0.2 to 127.0.0.9) in turn. The sockets of part 1
// are closed after their batch, not timed, with a RST (SO_LINGER 0), the same for every way. In
// part 2, where a confined worker may not set SO_LINGER, every request says `Connection: close`, so
// mostly the server closes first and has the TIME_WAIT.
//
// Takes about N seconds (40). Exit status: 0; 1 when something could not be measured, because a
// connect or a fetch failed: figures of failures mean nothing.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "tests/bench/connect_latency.h"
#include "tests/bench/fetch_rate.h"
#include "tests/bench/report.h"

namespace sockgate::bench {
namespace {

absl::StatusOr<Report> Measure(std::chrono::milliseconds budget) {
  Report report;
  for (const Acceptor acceptor : {Acceptor::kLater, Acceptor::kProcess}) {
    auto latency = MeasureLatency(acceptor, budget / 4);
    if (!latency.ok()) return latency.status();
    report.latency.push_back(*std::move(latency));
  }
  auto rate = MeasureRates(budget / 2);
  if (!rate.ok()) return rate.status();
  report.rate = *std::move(rate);
  return report;
}

int Run(int seconds, const std::string& json_path) {
  const auto report = Measure(std::chrono::seconds(seconds));
  if (!report.ok()) {
    std::fprintf(stderr, "connect_bench: %s\n", report.status().ToString().c_str());
    return 1;
  }
  std::fputs(ToText(*report).c_str(), stdout);
  if (json_path.empty() || WriteFile(json_path, ToJson(*report))) return 0;
  std::fprintf(stderr, "connect_bench: cannot write %s\n", json_path.c_str());
  return 1;
}

}  // namespace
}  // namespace sockgate::bench

int main(int argc, char** argv) {
  int seconds = 40;
  std::string json_path;
  CLI::App app("Measures what it costs to take sockets from the broker.");
  app.add_option("--seconds", seconds, "how long to measure, about")->check(CLI::Range(1, 3600));
  app.add_option("--json", json_path, "where to write the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  return sockgate::bench::Run(seconds, json_path);
}
