// load_bench: what a healthy worker notices of the others that its broker serves.
//
//   bazel run --config=opt //tests/bench/load:load_bench -- [--seconds N] [--quick] [--json FILE]
//
// It measures microseconds until a connected socket is in hand, in both modes, with these beside it:
//   handshakes pending  1,000 channels of 100 workers, each of which waits for ten handshakes with
//                       a black hole
//   idle channels       10,000 of 100 workers; also what they cost the broker in memory, and
//                       whether it wakes up for them
//   floods              one worker, and 100 of them, that ask for what is denied, for what is let
//                       through, or send garbage and come again, as fast as they can; they have 32
//                       requests under way at a time and read the replies
// and compares each with the same without it (load_latency.h says how).
//
// The broker is a process of its own, in its cage, with a policy of two rules and an audit log in a
// file; each worker is a process, and comes by the path. The healthy one is this process,
// unconfined. On few processors a flood costs everybody, whatever the broker does: so the same
// flood also meets another broker, and `here` is to be compared with `elsewhere` as well.
//
// Local ports: the healthy one's connections and the flood's go to several addresses and are closed
// with a RST (SO_LINGER 0). All this runs in a network namespace of its own, where the black hole
// is: root has one, and other users where the system lets them. 11,000 descriptors are wanted
// (ulimit -H -n).
//
// Takes about N seconds (120), and with --quick, which has a fiftieth of the load, five. Exit
// status: 0; 1 when something could not be measured; 2 when this host gives us no such namespace.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "tests/bench/load/load_report.h"
#include "tests/bench/report.h"
#include "tests/support/test_namespace.h"

namespace sockgate::bench {
namespace {

constexpr int kNotMeasured = 1;
constexpr int kNoNamespace = 2;
constexpr int kQuickSeconds = 5;
constexpr size_t kLoads = 8;

// In full; in quick mode all of them are few.
struct Scale {
  size_t workers = 100;
  size_t pending_channels = 10;
  size_t idle_channels = 100;

  static Scale Quick() { return {10, 2, 20}; }
};

CrowdPlan Plan(Deed deed, size_t workers, size_t channels = 1) {
  CrowdPlan plan;
  plan.deed = deed;
  plan.workers = workers;
  plan.channels = channels;
  return plan;
}

std::vector<CrowdPlan> Plans(const Scale& scale) {
  std::vector<CrowdPlan> plans = {Plan(Deed::kPending, scale.workers, scale.pending_channels),
                                  Plan(Deed::kIdle, scale.workers, scale.idle_channels)};
  for (const Deed flood : {Deed::kDenied, Deed::kConnecting, Deed::kGarbage}) {
    plans.push_back(Plan(flood, 1));
    plans.push_back(Plan(flood, scale.workers));
  }
  return plans;
}

absl::StatusOr<LoadReport> Measure(const Scale& scale, std::chrono::milliseconds budget) {
  LoadReport report;
  auto idle = MeasureIdleCost(scale.workers, scale.idle_channels);
  if (!idle.ok()) return idle.status();
  report.idle = *idle;
  for (const CrowdPlan& plan : Plans(scale)) {
    auto tables = MeasureLoad(plan, budget / kLoads);
    if (!tables.ok()) return tables.status();
    std::move(tables->begin(), tables->end(), std::back_inserter(report.tables));
  }
  return report;
}

int Fail(const absl::Status& status, int code) {
  std::fprintf(stderr, "load_bench: %s\n", status.ToString().c_str());
  return code;
}

int Run(const Scale& scale, int seconds, const std::string& json_path) {
  const absl::Status entered = testing::EnterTestNetwork();
  if (!entered.ok()) return Fail(entered, kNoNamespace);
  const auto report = Measure(scale, std::chrono::seconds(seconds));
  if (!report.ok()) return Fail(report.status(), kNotMeasured);
  std::fputs(ToText(*report).c_str(), stdout);
  if (json_path.empty() || WriteFile(json_path, ToJson(*report))) return 0;
  return Fail(absl::UnavailableError("cannot write " + json_path), kNotMeasured);
}

}  // namespace
}  // namespace sockgate::bench

int main(int argc, char** argv) {
  int seconds = 120;
  bool quick = false;
  std::string json_path;
  CLI::App app("Measures what a healthy worker notices of the others.");
  app.add_option("--seconds", seconds, "how long to measure, about")->check(CLI::Range(1, 3600));
  app.add_flag("--quick", quick, "little load, for a few seconds");
  app.add_option("--json", json_path, "where to write the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  using sockgate::bench::Scale;
  if (quick) seconds = sockgate::bench::kQuickSeconds;
  return sockgate::bench::Run(quick ? Scale::Quick() : Scale(), seconds, json_path);
}
